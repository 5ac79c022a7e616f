"""The one port of the local cloud: what comes in, and who answers it.

From the outside inwards: `door` (who may come in at all), `faults` (failures on demand), `app` (who
answers), `proxy` (the way to SageMaker) and `sagemaker_process` (its process). `server` puts them
together and serves; `python -m localcloud.gateway` starts it.
"""

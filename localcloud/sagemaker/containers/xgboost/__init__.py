"""The XGBoost container in algorithm mode: `train` and `serve`.

Behaviour as read in the public repository aws/sagemaker-xgboost-container; no code is shared with
it. Models are only ever loaded with `Booster.load_model`, never unpickled.
"""

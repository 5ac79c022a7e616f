"""What pipelines use of the SageMaker SDK 2.x beside the notebook's cells.

Arguments as `notebook_2.py`. Prints one line of JSON with what was found.
"""

import argparse
import json
import sys
from pathlib import Path

import sagemaker
from sagemaker.analytics import HyperparameterTuningJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.image_uris import retrieve
from sagemaker.inputs import TrainingInput
from sagemaker.predictor import Predictor
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--bucket", required=True)
parser.add_argument("--role", required=True)
options = parser.parse_args()
base = f"s3://{options.bucket}/interface"
# Named, because the SDK asks STS for the default one at an address of its own.
session = sagemaker.Session(default_bucket=options.bucket)
found = {}

# S3: up, listed, and down again.
for name in ("train", "validate"):
    S3Uploader.upload(
        str(options.data / f"{name}.csv"), f"{base}/{name}", sagemaker_session=session
    )
listed = S3Downloader.list(f"{base}/train", sagemaker_session=session)
text = S3Downloader.read_file(listed[0], sagemaker_session=session)
found["same"] = text == (options.data / "train.csv").read_text()
channels = {
    "train": TrainingInput(f"{base}/train/", content_type="text/csv"),
    "validation": TrainingInput(f"{base}/validate/", content_type="text/csv"),
}

# A job that is not waited for, its log, its metrics, and an estimator that is attached to it.
image = retrieve("xgboost", session.boto_region_name, "1.7-1")
estimator = Estimator(
    image,
    options.role,
    instance_count=1,
    instance_type="ml.m5.xlarge",
    output_path=f"{base}/output/",
    sagemaker_session=session,
    hyperparameters={"num_round": "20", "eval_metric": "auc", "objective": "binary:logistic"},
)
estimator.fit(channels, wait=False)
job = estimator.latest_training_job.name
session.logs_for_job(job, wait=True, poll=1)
metrics = estimator.training_job_analytics.dataframe(force_refresh=True)
found["metrics"] = sorted(set(metrics["metric_name"]))
attached = Estimator.attach(job, sagemaker_session=session)
found["attached"] = [attached.model_data == estimator.model_data, attached.hyperparameters()]

# An endpoint, updated in place.
predictor = attached.deploy(1, "ml.m5.large", serializer=CSVSerializer(), wait=False)
session.wait_for_endpoint(predictor.endpoint_name, poll=1)
row = text.splitlines()[0].partition(",")[2]
before = predictor.predict(row)
predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.xlarge", wait=False)
session.wait_for_endpoint(predictor.endpoint_name, poll=1)
found["updated"] = predictor.predict(row) == before
again = Predictor(predictor.endpoint_name, session, serializer=CSVSerializer())
found["again"] = again.predict(row) == before
predictor.delete_model()
predictor.delete_endpoint()

# Tuning, its best job, and its analytics.
tuner = HyperparameterTuner(
    estimator,
    "validation:auc",
    {"eta": ContinuousParameter(0.05, 0.5), "max_depth": IntegerParameter(2, 5)},
    strategy="Random",
    max_jobs=2,
    max_parallel_jobs=2,
)
tuner.fit(channels, wait=False)
tuner.wait()
frame = HyperparameterTuningJobAnalytics(tuner.latest_tuning_job.name, session).dataframe()
# By its value: two jobs may reach the same.
values = frame.set_index("TrainingJobName")["FinalObjectiveValue"]
best = tuner.best_training_job()
found["best"] = bool(values[best] == values.max())
found["tuned"] = sorted(frame.columns)
found["best_estimator"] = tuner.best_estimator().latest_training_job.name == best

# Processing: a script for scikit-learn's image, and one for any.
script = Path("count.py")
script.write_text(
    "import pathlib, sys\n"
    "rows = pathlib.Path('/opt/ml/processing/input/train.csv').read_text().splitlines()\n"
    "pathlib.Path('/opt/ml/processing/output/count').write_text(f'{sys.argv[1]} {len(rows)}')\n"
)
processors = {
    "sklearn": SKLearnProcessor(
        framework_version="1.2-1",
        role=options.role,
        instance_type="ml.m5.large",
        instance_count=1,
        sagemaker_session=session,
    ),
    "script": ScriptProcessor(
        image_uri=image,
        command=["python3"],
        role=options.role,
        instance_type="ml.m5.large",
        instance_count=1,
        sagemaker_session=session,
    ),
}
for name, processor in processors.items():
    processor.run(
        code=str(script),
        arguments=[name],
        inputs=[ProcessingInput(source=f"{base}/train/", destination="/opt/ml/processing/input")],
        outputs=[
            ProcessingOutput(
                output_name="count",
                source="/opt/ml/processing/output",
                destination=f"{base}/counted/{name}",
            )
        ],
        logs=False,
    )
    found[name] = S3Downloader.read_file(f"{base}/counted/{name}/count", sagemaker_session=session)

# The registry: a version that is approved, deployed, and answers the same.
package = estimator.register(
    content_types=["text/csv"],
    response_types=["text/csv"],
    inference_instances=["ml.m5.large"],
    transform_instances=["ml.m5.large"],
    model_package_group_name="interface",
    approval_status="PendingManualApproval",
)
package.update_approval_status("Approved")
package.deploy(1, "ml.m5.large", endpoint_name="interface-package", wait=False)
session.wait_for_endpoint("interface-package", poll=1)
runtime = session.sagemaker_runtime_client
answer = runtime.invoke_endpoint(EndpointName="interface-package", Body=row, ContentType="text/csv")
found["package"] = answer["Body"].read() == before
session.delete_endpoint("interface-package")

# The SDK's dots of progress end without a line's end.
sys.stdout.write("\n" + json.dumps(found) + "\n")

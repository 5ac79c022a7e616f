"""The notebook's steps through the public interface of the SageMaker SDK 3.x.

Only the arguments differ from a notebook on AWS: the folder with the data and the role's ARN. The
addresses and credentials are the environment's. Prints one line of JSON with what the steps found.
"""

import argparse
import json
import sys
from importlib import metadata
from pathlib import Path

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.transformer import Transformer
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--bucket", required=True)
parser.add_argument("--role", required=True)
parser.add_argument("--logs", action="store_true")
options = parser.parse_args()

bucket, prefix = options.bucket, "sdk3"
s3 = boto3.client("s3")
for name in ("train", "validate", "batch-in"):
    body = (options.data / f"{name}.csv").read_bytes()
    s3.put_object(Bucket=bucket, Key=f"{prefix}/{name}/{name}.csv", Body=body)

session = Session()
image = image_uris.retrieve("xgboost", session.boto_region_name, "3.0-5")
trainer = ModelTrainer(
    training_image=image,
    role=options.role,
    base_job_name="sdk3",
    compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/{prefix}/output/"),
    hyperparameters={"num_round": 42, "eval_metric": "auc", "objective": "binary:logistic"},
    sagemaker_session=session,
)
trainer.train(
    input_data_config=[
        InputData(
            channel_name=channel,
            data_source=f"s3://{bucket}/{prefix}/{folder}/",
            content_type="text/csv",
        )
        for channel, folder in (("train", "train"), ("validation", "validate"))
    ],
    logs=options.logs,
)
# The SDK has no other name for it.
job = trainer._latest_training_job

builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=options.role,
    sagemaker_session=session,
    instance_type="ml.m5.large",
)
model = builder.build(model_name="sdk3")
endpoint = builder.deploy(
    endpoint_name="sdk3", initial_instance_count=1, instance_type="ml.m5.large"
)
row = (options.data / "batch-in.csv").read_text().splitlines()[0]
answer = endpoint.invoke(body=row, content_type="text/csv").body.read().decode()
endpoint.delete()

transformer = Transformer(
    model_name=model.model_name,
    instance_count=1,
    instance_type="ml.m5.large",
    strategy="MultiRecord",
    assemble_with="Line",
    output_path=f"s3://{bucket}/{prefix}/batch-out/",
    sagemaker_session=session,
)
transformer.transform(
    data=f"s3://{bucket}/{prefix}/batch-in/batch-in.csv",
    content_type="text/csv",
    split_type="Line",
    logs=options.logs,
)
found = s3.get_object(Bucket=bucket, Key=f"{prefix}/batch-out/batch-in.csv.out")["Body"].read()

# The SDK's progress panels end without a line end.
sys.stdout.write(
    "\n"
    + json.dumps(
        {
            "sdk": {
                name: metadata.version(name)
                for name in ("sagemaker-core", "sagemaker-train", "sagemaker-serve")
            },
            "first": float(answer),
            "probabilities": [float(value) for value in found.split()],
            "job": job.training_job_name,
            "status": job.training_job_status,
        }
    )
    + "\n"
)

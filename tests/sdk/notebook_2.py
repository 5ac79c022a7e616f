"""The notebook's cells, as written for AWS, run by the SageMaker SDK 2.x.

Only the arguments differ from a notebook on AWS: the folder with the data and the role's ARN. The
addresses and credentials are the environment's. Prints one line of JSON with what the cells found.
"""

import argparse
import json
import sys
from pathlib import Path

import boto3
import pandas as pd
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.image_uris import retrieve
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--bucket", required=True)
parser.add_argument("--role", required=True)
parser.add_argument("--prefix", default="lab3")
parser.add_argument("--logs", action="store_true")
options = parser.parse_args()

# Cell: the data goes to S3.
bucket, prefix = options.bucket, options.prefix
s3 = boto3.Session().resource("s3")
for name in ("train", "validate", "test", "batch-in"):
    body = (options.data / f"{name}.csv").read_text()
    s3.Bucket(bucket).Object(f"{prefix}/{name}/{name}.csv").put(Body=body)

# Cell: training.
session = sagemaker.Session()
container = retrieve("xgboost", boto3.Session().region_name, "1.0-1")
model = Estimator(
    container,
    options.role,
    instance_count=1,
    instance_type="ml.m4.xlarge",
    output_path=f"s3://{bucket}/{prefix}/output/",
    sagemaker_session=session,
)
model.set_hyperparameters(num_round="42", eval_metric="auc", objective="binary:logistic")
channels = {
    "train": TrainingInput(f"s3://{bucket}/{prefix}/train/", content_type="text/csv"),
    "validation": TrainingInput(f"s3://{bucket}/{prefix}/validate/", content_type="csv"),
}
model.fit(inputs=channels, logs=options.logs)

# Cell: hosting, and one prediction.
predictor = model.deploy(
    initial_instance_count=1, serializer=CSVSerializer(), instance_type="ml.m4.xlarge"
)
test = pd.read_csv(options.data / "test.csv", header=None)
row = test.iloc[:, 1:].iloc[0:1]
answer = predictor.predict(row.to_csv(index=False, header=False).strip())
predictor.delete_endpoint(delete_endpoint_config=True)

# Cell: batch transform.
batch_output = f"s3://{bucket}/{prefix}/batch-out/"
batch_input = f"s3://{bucket}/{prefix}/batch-in/batch-in.csv"
transformer = model.transformer(
    instance_count=1,
    instance_type="ml.m4.xlarge",
    strategy="MultiRecord",
    assemble_with="Line",
    output_path=batch_output,
)
transformer.transform(
    data=batch_input,
    data_type="S3Prefix",
    content_type="text/csv",
    split_type="Line",
    logs=options.logs,
)
transformer.wait(logs=options.logs)

# Cell: the predictions and the threshold.
found = boto3.client("s3").get_object(Bucket=bucket, Key=f"{prefix}/batch-out/batch-in.csv.out")
target = pd.read_csv(found["Body"], names=["class"])
binary = (target["class"] > 0.65).astype(int)

description = model.latest_training_job.describe()
sys.stdout.write(
    json.dumps(
        {
            "sdk": sagemaker.__version__,
            "image": container,
            "first": float(answer.decode().split(",")[0]),
            "probabilities": target["class"].tolist(),
            "classes": binary.tolist(),
            "metrics": {
                each["MetricName"]: each["Value"] for each in description["FinalMetricDataList"]
            },
            "job": description["TrainingJobName"],
            "model_data": model.model_data,
        }
    )
    + "\n"
)

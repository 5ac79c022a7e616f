#!/bin/sh
# The pipeline's steps as a person types them with the AWS CLI. Addresses and credentials are the
# environment's. Arguments: the folder with the data, the bucket, the role's ARN, the image.
set -eu
data=$1 bucket=$2 role=$3 image=$4
place=s3://$bucket/cli

for name in train validate batch-in; do
    aws s3 cp --only-show-errors "$data/$name.csv" "$place/$name/$name.csv"
done

channel() {
    printf 'ChannelName=%s,ContentType=text/csv,DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=%s}}' "$1" "$2"
}

aws sagemaker create-training-job --training-job-name cli \
    --role-arn "$role" \
    --algorithm-specification "TrainingImage=$image,TrainingInputMode=File" \
    --hyper-parameters num_round=42,eval_metric=auc,objective=binary:logistic \
    --input-data-config "$(channel train "$place/train/")" "$(channel validation "$place/validate/")" \
    --output-data-config "S3OutputPath=$place/output/" \
    --resource-config InstanceType=ml.m5.xlarge,InstanceCount=1,VolumeSizeInGB=10 \
    --stopping-condition MaxRuntimeInSeconds=3600 --output text
# The waiter looks every two minutes: by now the job has ended.
machine=$(aws stepfunctions create-state-machine --name cli --role-arn "$role" \
    --definition '{"StartAt":"Look","States":{"Look":{"Type":"Task","End":true,"Resource":"arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob","Parameters":{"TrainingJobName":"cli"}}}}' \
    --query stateMachineArn --output text)
aws sagemaker wait training-job-completed-or-stopped --training-job-name cli
model=$(aws sagemaker describe-training-job --training-job-name cli \
    --query ModelArtifacts.S3ModelArtifacts --output text)

aws sagemaker create-model --model-name cli --execution-role-arn "$role" \
    --primary-container "Image=$image,ModelDataUrl=$model" --output text
aws sagemaker create-endpoint-config --endpoint-config-name cli --production-variants \
    VariantName=all,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1 --output text
aws sagemaker create-endpoint --endpoint-name cli --endpoint-config-name cli --output text

aws sagemaker create-transform-job --transform-job-name cli --model-name cli \
    --batch-strategy MultiRecord \
    --transform-input "DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=$place/batch-in/}},ContentType=text/csv,SplitType=Line" \
    --transform-output "S3OutputPath=$place/batch-out/,AssembleWith=Line,Accept=text/csv" \
    --transform-resources InstanceType=ml.m5.large,InstanceCount=1 --output text

aws sagemaker wait endpoint-in-service --endpoint-name cli
head -n 1 "$data/batch-in.csv" > "$data/row.csv"
aws sagemaker-runtime invoke-endpoint --endpoint-name cli --content-type text/csv \
    --body "fileb://$data/row.csv" "$data/answer.csv" --output text
aws sagemaker delete-endpoint --endpoint-name cli
aws sagemaker wait endpoint-deleted --endpoint-name cli

aws sagemaker wait transform-job-completed-or-stopped --transform-job-name cli
aws s3 cp --only-show-errors "$place/batch-out/batch-in.csv.out" "$data/predictions.csv"

execution=$(aws stepfunctions start-execution --state-machine-arn "$machine" \
    --query executionArn --output text)
until [ "$(aws stepfunctions describe-execution --execution-arn "$execution" \
    --query status --output text)" != RUNNING ]; do sleep 0.2; done
aws stepfunctions get-execution-history --execution-arn "$execution" \
    --query 'events[].type' --output text

"""Create the bucket of S3_BUCKET if it is not there. Safe to run again."""

import sys

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

from config.environment import read_environment


def main() -> int:
    environment = read_environment()
    client = boto3.client(
        "s3",
        endpoint_url=environment.s3_endpoint_url,
        aws_access_key_id=environment.s3_access_key_id,
        aws_secret_access_key=environment.s3_secret_access_key,
        region_name=environment.s3_region,
        config=Config(s3={"addressing_style": "path"}),
    )
    try:
        client.head_bucket(Bucket=environment.s3_bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        client.create_bucket(Bucket=environment.s3_bucket)
    return 0


if __name__ == "__main__":
    sys.exit(main())

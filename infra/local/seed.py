"""What a freshly deployed Keyway finds in AWS, written into the local stand-ins through boto3.

One secret with the hosted keys, the feature flags, the table and KMS key of the workspaces' own keys, the table of
tasks that are charged once, the table of tools' rate limits, and the bucket of large answers. The names and shapes are
those of the deployed system, so the gateway cannot tell the difference. Nothing is created that the cloud stacks would
not create.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import cache
from types import TracebackType
from typing import Self

import boto3
from botocore.config import Config

from infra.local.aws import REGION
from infra.names import PROFILE

MODEL_KEYS = {
    "OPENAI_API_KEY_1": "sk-local-openai-hosted-1-3f1c9a",
    "OPENAI_API_KEY_2": "sk-local-openai-hosted-2-8b77de",
    "ANTHROPIC_API_KEY_1": "sk-ant-local-hosted-1-52e0c4",
    "ANTHROPIC_API_KEY_2": "sk-ant-local-hosted-2-d96aa1",
    "GEMINI_API_KEY_1": "AIza-local-hosted-1-0b6f42",
    "MISTRAL_API_KEY_1": "mistral-local-hosted-1-c7d85e",
    "FIREWORKS_API_KEY_1": "fw-local-hosted-1-91ae30",
    "TOGETHER_API_KEY_1": "together-local-hosted-1-6cf7b2",
    "BASETEN_API_KEY_1": "baseten-local-hosted-1-e4420d",
    "OLLAMA_CLOUD_API_KEY_1": "ollama-local-hosted-1-7a18f5",
}
"""The platform's keys for models. The scripted provider accepts these; no real vendor would."""

TOOL_KEYS = {
    "SEARCH_API_KEY_1": "search-local-hosted-1-2d90ba",
    "SEARCH_API_KEY_2": "search-local-hosted-2-f63c18",
}
"""The platform's keys for tools. The scripted search API accepts these."""

HOSTED_KEYS = {**MODEL_KEYS, **TOOL_KEYS}
"""The platform's pool, as it is seeded."""

FLAGS: dict[str, object] = {
    "hosted-key-llm": {
        "default": True,
        "rules": {
            "off for a workspace that opted out": {
                "when_match": False,
                "conditions": [{"action": "EQUALS", "key": "workspace_id", "value": "ws-opted-out"}],
            }
        },
    }
}
"""The flags document, in the schema of the Powertools feature-flags utility."""


class SeededAccount:
    """The resources of one deployment in the account behind ``endpoint``.

    Args:
        endpoint: The URL of a ``LocalAws``.
        credentials: Its ``environment``.
        name: The prefix of every resource, so that several deployments fit into one account.

    ``environment`` holds the settings that point a gateway at these resources. Every method may be called
    again later to change what is stored. ``application_id`` and ``profile_id`` are AppConfig's.
    """

    def __init__(self, endpoint: str, credentials: Mapping[str, str], *, name: str = "keyway") -> None:
        self.name = name
        session = _session(credentials["AWS_ACCESS_KEY_ID"], credentials["AWS_SECRET_ACCESS_KEY"])
        # boto3 reads ~/.aws/config too; a fixed endpoint and no retries keep this machine's settings out.
        once = Config(retries={"total_max_attempts": 1}, proxies={})
        self._secrets = session.client("secretsmanager", endpoint_url=endpoint, config=once)
        self._tables = session.client("dynamodb", endpoint_url=endpoint, config=once)
        self._kms = session.client("kms", endpoint_url=endpoint, config=once)
        self._appconfig = session.client("appconfig", endpoint_url=endpoint, config=once)
        self._objects = session.client("s3", endpoint_url=endpoint, config=once)
        self.environment: dict[str, str] = {}
        self.application_id = ""
        self.profile_id = ""

    def __enter__(self) -> Self:
        """Creates every resource, with the hosted keys and flags of this module."""
        table, secret = f"{self.name}-workspace-keys", f"{self.name}/hosted-keys"
        self._secrets.create_secret(Name=secret, SecretString=json.dumps(HOSTED_KEYS))
        self._tables.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": "workspaceId", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "workspaceId", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        tasks, limits, answers = f"{self.name}-tasks", f"{self.name}-tool-limits", f"{self.name}-answers"
        for passing in (tasks, limits):
            self._tables.create_table(
                TableName=passing,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            self._tables.update_time_to_live(
                TableName=passing, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiration"}
            )
        self._objects.create_bucket(Bucket=answers)
        self._objects.put_bucket_encryption(
            Bucket=answers,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        )
        kms_key = self._kms.create_key(Description="workspace keys")["KeyMetadata"]["KeyId"]
        self.application_id = self._appconfig.create_application(Name=self.name)["Id"]
        self._appconfig.create_environment(ApplicationId=self.application_id, Name="local")
        self.profile_id = self._appconfig.create_configuration_profile(
            ApplicationId=self.application_id, Name=PROFILE, LocationUri="hosted", Type="AWS.Freeform"
        )["Id"]
        self.environment = {
            "KEYWAY_HOSTED": "true",
            "HOSTED_KEYS_SECRET": secret,
            "APPCONFIG_APPLICATION": self.name,
            "APPCONFIG_ENVIRONMENT": "local",
            "WORKSPACE_KEYS_TABLE": table,
            "WORKSPACE_KEYS_KMS_KEY": kms_key,
            "IDEMPOTENCY_TABLE": tasks,
            "ANSWERS_BUCKET": answers,
            "TOOL_LIMITS_TABLE": limits,
            "DEPLOYMENT_ENVIRONMENT": "local",
        }
        self.put_flags(FLAGS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the clients. What they created lives as long as the account does."""
        with ExitStack() as clients:
            for client in (self._secrets, self._tables, self._kms, self._appconfig, self._objects):
                clients.enter_context(closing(client))

    def put_hosted_keys(self, keys: Mapping[str, str]) -> None:
        """Replaces the pool: a flat object of names like ``OPENAI_API_KEY_1``."""
        self.put_hosted_keys_text(json.dumps(dict(keys)))

    def put_hosted_keys_text(self, text: str) -> None:
        """Replaces the pool's secret by any text, well-formed or not."""
        self._secrets.put_secret_value(SecretId=self.environment["HOSTED_KEYS_SECRET"], SecretString=text)

    def put_flags(self, document: object) -> None:
        """Deploys a flags document: a JSON value, or bytes as they are."""
        self._appconfig.create_hosted_configuration_version(
            ApplicationId=self.application_id,
            ConfigurationProfileId=self.profile_id,
            Content=document if isinstance(document, bytes) else json.dumps(document).encode(),
            ContentType="application/json",
        )

    def put_workspace_key(
        self,
        workspace: str,
        provider: str,
        secret: str,
        *,
        created: str = "2026-01-01T00:00:00Z",
        label: str = "local",
        corrupt: bool = False,
    ) -> str:
        """Stores a workspace's own key as the admin function would; returns its sort key.

        ``created`` is ISO 8601 and decides the order of several keys. ``corrupt`` stores bytes that KMS cannot
        decrypt.
        """
        ciphertext = self._kms.encrypt(
            KeyId=self.environment["WORKSPACE_KEYS_KMS_KEY"],
            Plaintext=secret.encode(),
            EncryptionContext={"workspaceId": workspace, "provider": provider},
        )["CiphertextBlob"]
        sort_key = f"{provider}#{created}#{secrets.token_hex(6)}"
        self._tables.put_item(
            TableName=self.environment["WORKSPACE_KEYS_TABLE"],
            Item={
                "workspaceId": {"S": workspace},
                "sk": {"S": sort_key},
                "ciphertext": {"B": ciphertext[: len(ciphertext) // 2] if corrupt else ciphertext},
                "label": {"S": label},
                "lastFour": {"S": secret[-4:]},
                "createdAt": {"S": created},
            },
        )
        return sort_key

    def delete_workspace_key(self, workspace: str, sort_key: str) -> None:
        """Removes a stored key."""
        self._tables.delete_item(
            TableName=self.environment["WORKSPACE_KEYS_TABLE"],
            Key={"workspaceId": {"S": workspace}, "sk": {"S": sort_key}},
        )


@cache
def _session(access_key: str, secret_key: str) -> boto3.Session:
    """One session for all accounts of this process: it keeps the service models, which are slow to read."""
    return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=REGION)

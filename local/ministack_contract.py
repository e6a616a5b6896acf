"""Every private name of MiniStack this package uses, and the check that they are all still there.

Imports nothing of MiniStack until asked to check.
"""

import importlib
import importlib.metadata
import inspect
from collections.abc import Iterable
from dataclasses import dataclass

VERSION = "1.5.33"
"""The version of MiniStack the names belong to."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """One name.

    Attributes:
        module: Where it is.
        path: Attribute, or attributes joined by dots.
        parameters: What a function's parameters must begin with.
        text: What a text must hold.
    """

    module: str
    path: str
    parameters: tuple[str, ...] = ()
    text: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.module}.{self.path}"

    def problem(self) -> str | None:
        """Returns what is wrong with it; `None` if it is as expected."""
        try:
            value: object = importlib.import_module(self.module)
        except ImportError as problem:
            return f"{self}: module {self.module} cannot be imported ({problem})"
        for part in self.path.split("."):
            if not hasattr(value, part):
                return f"{self}: gone"
            value = getattr(value, part)
        return self._shape(value)

    def _shape(self, value: object) -> str | None:
        if self.parameters:
            if not callable(value):
                return f"{self}: is a {type(value).__name__}, expected a function"
            parameters = tuple(inspect.signature(value).parameters)[: len(self.parameters)]
            if parameters != self.parameters:
                return f"{self}: parameters are {', '.join(parameters)}, expected {', '.join(self.parameters)}"
        missing = [text for text in self.text if not isinstance(value, str) or text not in value]
        return f"{self}: does not hold {missing[0]!r} any more" if missing else None


_APPSYNC = "ministack.services.appsync"
_APIGATEWAY = "ministack.services.apigateway_v1"
_CLOUDWATCH = "ministack.services.cloudwatch"
_CORE = "ministack.core"
_EC2 = "ministack.services.ec2"
_EVENTS = "ministack.services.eventbridge"
_FUNCTIONS = "ministack.services.lambda_svc"
_KMS = "ministack.services.kms"
_LOGS = "ministack.services.cloudwatch_logs"
_RUNTIME = "ministack.core.lambda_runtime"
_S3 = "ministack.services.s3"
_SNS = "ministack.services.sns"
_SQS = "ministack.services.sqs"
_STATES = "ministack.services.stepfunctions"

REQUIRED = (
    Name(module="ministack.app", path="app", parameters=("scope", "receive", "send")),
    Name(module="ministack.app", path="SERVICE_HANDLERS"),
    Name(module=f"{_CORE}.router", path="SERVICE_PATTERNS"),
    Name(module=f"{_CORE}.iam_actions", path="SERVICE_TO_IAM_NAMESPACE"),
    Name(module=f"{_CORE}.iam_actions", path="_BOTOCORE_SERVICE_MAP"),
    Name(module=f"{_CORE}.iam_evaluator", path="EvalContext", parameters=("principal_arn", "principal_type")),
    Name(module=f"{_CORE}.iam_evaluator", path="evaluate", parameters=("ctx", "policies")),
    Name(module=f"{_CORE}.iam_evaluator", path="evaluate_resource_policy", parameters=("doc", "ctx", "service")),
    Name(module=f"{_CORE}.iam_evaluator", path="_gather_role_policies", parameters=("role_name", "account_id")),
    Name(module=f"{_CORE}.iam_evaluator", path="_role_name_from_assumed_arn", parameters=("assumed_arn",)),
    Name(module=f"{_CORE}.iam_evaluator", path="caller_arn"),
    Name(module=f"{_CORE}.iam_evaluator", path="pin_request_origin", parameters=("source_ip", "secure_transport")),
    Name(
        module=f"{_CORE}.iam_evaluator",
        path="combine_resource_policy",
        parameters=("identity", "ctx", "policy", "owner_account", "required"),
    ),
    Name(module=f"{_CORE}.responses", path="get_account_id"),
    Name(module=f"{_CORE}.responses", path="get_region"),
    Name(module=f"{_CORE}.responses", path="new_uuid"),
    Name(module=f"{_CORE}.responses", path="json_response", parameters=("data",)),
    Name(module=f"{_CORE}.responses", path="AccountRegionScopedDict"),
    Name(
        module=_APIGATEWAY,
        path="_handle_execute_in_scope",
        parameters=("api_id", "stage_name", "method", "path", "headers"),
    ),
    Name(module=_APIGATEWAY, path="_call_lambda_raw", parameters=("function_ref", "event")),
    Name(module=_APIGATEWAY, path="_lambda_proxy_response", parameters=("result",)),
    Name(module=_APIGATEWAY, path="_build_lambda_event_v1", parameters=("api_id", "stage_name", "stage", "resource")),
    Name(
        module=_APIGATEWAY,
        path="_check_request_validation",
        parameters=("method_obj", "api_id", "request", "headers", "body", "query_params"),
    ),
    Name(module=_APIGATEWAY, path="_header_ci", parameters=("headers", "name")),
    Name(module=_APIGATEWAY, path="_gateway_error_response", parameters=("error", "request")),
    Name(module=_APIGATEWAY, path="_GatewayError", parameters=("response_type", "message")),
    Name(module=_APIGATEWAY, path="_model_schema", parameters=("api_id", "model_name")),
    Name(module=_APIGATEWAY, path="_update_stage", parameters=("api_id", "stage_name", "data")),
    Name(module=_APIGATEWAY, path="_v1_error", parameters=("code", "message")),
    Name(module=_APIGATEWAY, path="_create_request_validator", parameters=("api_id", "data")),
    Name(module=_APIGATEWAY, path="_delete_request_validator", parameters=("api_id", "validator_id")),
    Name(module=_APIGATEWAY, path="_request_validators"),
    Name(module=_APIGATEWAY, path="_resources"),
    Name(module=_APIGATEWAY, path="_account_settings"),
    Name(module=_APIGATEWAY, path="_rest_apis"),
    Name(module=_APIGATEWAY, path="_stages_v1"),
    Name(
        module=_FUNCTIONS,
        path="_execute_function_dispatch",
        parameters=("func", "config", "event", "request_id", "started"),
    ),
    Name(module=_FUNCTIONS, path="_acquire_execution_slot", parameters=("func", "config")),
    Name(module=_FUNCTIONS, path="_emit_lambda_metrics", parameters=("function_name", "duration_ms")),
    Name(
        module=_FUNCTIONS,
        path="_emit_lambda_logs",
        parameters=("func", "request_id", "log_text", "error", "duration_ms"),
    ),
    Name(module=_FUNCTIONS, path="_execute_function_warm", parameters=("func", "event", "request_id")),
    Name(module=_FUNCTIONS, path="_esms"),
    Name(module=_FUNCTIONS, path="_functions"),
    Name(module=_FUNCTIONS, path="_vpc_config_with_id", parameters=("request_config",)),
    Name(module=_FUNCTIONS, path="_run_sqs_batch", parameters=("esm", "func_rec", "event")),
    Name(module=_FUNCTIONS, path="_sqs_esm_concurrency", parameters=("esm", "func_rec", "config", "queue")),
    Name(module=_FUNCTIONS, path="_xray_trace_id_for_invocation", parameters=("config", "inbound_trace_header")),
    Name(module=_RUNTIME, path="Worker._spawn", parameters=("self",)),
    Name(module=_RUNTIME, path="_detect_runtime_binary", parameters=("runtime",)),
    Name(module=_RUNTIME, path="reset"),
    Name(
        module=_RUNTIME,
        path="_PYTHON_WORKER_SCRIPT",
        text=(
            "    code_dir = init[",
            "sys.path.insert(0, code_dir)",
            "sys.path.insert(0, _py)",
            "sys.path.insert(0, _ld)",
            "    os.environ.update(env)\n",
            "            result = handler_fn(event, context)\n",
        ),
    ),
    Name(module="ministack.app", path="pin_signed_request", parameters=("method", "raw_path", "query_params")),
    Name(module=f"{_CORE}.iam_actions", path="extract_iam_action", parameters=("service", "method", "path")),
    Name(module=f"{_CORE}.iam_evaluator", path="_is_root_key", parameters=("access_key_id",)),
    Name(module=f"{_CORE}.iam_evaluator", path="pin_signed_request", parameters=("method", "raw_path", "query_params")),
    Name(module=f"{_CORE}.responses", path="error_response_json", parameters=("code", "message", "status")),
    Name(
        module=_APIGATEWAY,
        path="_execute_in_scope",
        parameters=("request", "api_id", "stage_name", "method", "path", "headers", "body"),
    ),
    Name(module=_FUNCTIONS, path="_create_esm", parameters=("data",)),
    Name(module=_FUNCTIONS, path="_resolve_existing_esm_function", parameters=("function_ref",)),
    Name(module=_FUNCTIONS, path="_get_func_record_for_qualifier", parameters=("name", "qualifier")),
    Name(module=_FUNCTIONS, path="_reserved_concurrency", parameters=("func", "config")),
    Name(module="ministack.services.iam", path="_AWS_MANAGED_POLICY_PREFIX"),
    Name(module="ministack.services.iam", path="_aws_managed_policies"),
    Name(module="ministack.services.iam", path="_make_aws_managed_record", parameters=("name", "document")),
    Name(
        module=_RUNTIME,
        path="_NODEJS_WORKER_SCRIPT",
        text=(
            'if (prop.endsWith("Client")) return GenericClient;',
            "    class GenericClient {\n      constructor(_cfg) {}",
            '"@aws-sdk/client-cloudwatch-logs": ',
        ),
    ),
    Name(module=_KMS, path="_resolve_key", parameters=("key_id_or_arn",)),
    Name(module=_LOGS, path="_log_groups"),
    Name(module=_LOGS, path="_append_log_events", parameters=("stream",)),
    Name(module=_LOGS, path="_create_log_group", parameters=("data",)),
    Name(module=_LOGS, path="_create_log_stream", parameters=("data",)),
    Name(module=_LOGS, path="_put_log_events", parameters=("data",)),
    Name(
        module=_LOGS,
        path="_fanout_to_subscription_filters",
        parameters=("group_name", "stream_name", "events"),
    ),
    Name(module=_LOGS, path="_resource_policies"),
    Name(module=_LOGS, path="_start_query", parameters=("data",)),
    Name(module=_LOGS, path="_queries"),
    Name(module=_LOGS, path="_metric_filters"),
    Name(module=_LOGS, path="_put_metric_filter", parameters=("data",)),
    Name(module=_LOGS, path="_resolve_query_log_groups", parameters=("data",)),
    Name(module=_LOGS, path="_collect_query_records", parameters=("group_names", "start_time_s", "end_time_s")),
    Name(module=_CLOUDWATCH, path="_metrics"),
    Name(module=_CLOUDWATCH, path="_dims_key", parameters=("dims",)),
    Name(module=_CLOUDWATCH, path="_metric_bucket", parameters=("key",)),
    Name(module=_CLOUDWATCH, path="_evict_old_metrics"),
    Name(module=_CLOUDWATCH, path="_calc_stats", parameters=("points",)),
    Name(module=_CLOUDWATCH, path="_stat_value", parameters=("stats", "stat_name", "points")),
    Name(module=_CLOUDWATCH, path="_evaluate_alarm", parameters=("alarm",)),
    Name(module=_CLOUDWATCH, path="_evaluate_all_alarms"),
    Name(module=_CLOUDWATCH, path="_record_history", parameters=("alarm_name", "old_state", "new_state", "reason")),
    Name(module=_CLOUDWATCH, path="_history_entries"),
    Name(module=_CLOUDWATCH, path="_ts_iso", parameters=("epoch",)),
    Name(module=_CLOUDWATCH, path="_dispatch_alarm_actions", parameters=("alarm", "old_state", "new_state", "reason")),
    Name(module=_CLOUDWATCH, path="_evaluate_parent_alarms", parameters=("child",)),
    Name(module=_SNS, path="_fanout", parameters=("topic_arn", "msg_id")),
    Name(module=_SNS, path="_deliver_to_sqs", parameters=("endpoint", "envelope")),
    Name(module=_SNS, path="_deliver_to_lambda", parameters=("endpoint", "envelope")),
    Name(module=_SNS, path="_topic_by_arn_any_scope", parameters=("topic_arn",)),
    Name(module=_SNS, path="_topics"),
    Name(module=_SNS, path="_publish", parameters=("params",)),
    Name(module=_SNS, path="_publish_batch", parameters=("params",)),
    Name(module=_SNS, path="_normalize_arn", parameters=("arn",)),
    Name(module=_SNS, path="_p", parameters=("params", "key")),
    Name(module=_SNS, path="_error", parameters=("code", "message", "status")),
    Name(module=_SNS, path="publish_internal", parameters=("topic_arn", "message")),
    Name(module=_SNS, path="SnsPublishError"),
    Name(module=_SNS, path="_parse_batch_entries", parameters=("params",)),
    Name(module=_SNS, path="_resolve_dedup_id", parameters=("topic", "params", "message")),
    Name(module=_SNS, path="_subscribe", parameters=("params",)),
    Name(module=_SNS, path="_set_topic_attributes", parameters=("params",)),
    Name(module=_SNS, path="_message_payload_size", parameters=("message", "attrs")),
    Name(module=_SNS, path="_SNS_MAX_PAYLOAD_BYTES"),
    Name(module=_SQS, path="_ensure_msg_fields", parameters=("m",)),
    Name(module=_SQS, path="_build_send_sys_attrs", parameters=("now", "sys_attrs_input")),
    Name(module=_SQS, path="_act_send_message", parameters=("data", "qurl")),
    Name(module=_SQS, path="_act_send_message_batch", parameters=("data", "qurl")),
    Name(module=_SQS, path="_prune_dedup", parameters=("q",)),
    Name(module=_SQS, path="_DEDUP_WINDOW_S"),
    Name(module=_SQS, path="_dlq_sweep", parameters=("q",)),
    Name(module=_SQS, path="_HANDLERS"),
    Name(module=_EC2, path="_subnets"),
    Name(module=_EC2, path="_route_tables"),
    Name(module=_EC2, path="_vpc_endpoints"),
    Name(module=_SQS, path="_Err", parameters=("code", "message")),
    Name(module=_SQS, path="_queue_by_arn", parameters=("arn",)),
    Name(module=_SQS, path="_queues"),
    Name(module=_SQS, path="esm_wake"),
    Name(module=_SQS, path="_queue_url_for_account", parameters=("account_id", "name")),
    Name(module="ministack.services.alb", path="_targets"),
    Name(module=_APIGATEWAY, path="_invoke_lambda_custom_v1", parameters=("integration", "api_id", "stage_name")),
    Name(module=_APIGATEWAY, path="_parse_service_integration_uri", parameters=("uri",)),
    Name(module=_APIGATEWAY, path="_render_request_template_v1", parameters=("template", "body_str", "params_map")),
    Name(
        module=_APIGATEWAY,
        path="_service_integration_response",
        parameters=("integration", "backend_status", "backend_text", "accept", "request_params"),
    ),
    Name(module=_APPSYNC, path="_apis"),
    Name(module=_APPSYNC, path="_execute_graphql", parameters=("api_id", "data", "request_headers", "authorize")),
    Name(module=_APPSYNC, path="_invoke_lambda_with_event", parameters=("data_source", "event")),
    Name(module=_APPSYNC, path="_resolve_lambda", parameters=("api_id", "resolver", "data_source")),
    Name(module=_EVENTS, path="_dispatch_event", parameters=("event", "view")),
    Name(module=_EVENTS, path="_dispatch_to_sqs", parameters=("spec", "payload")),
    Name(module=_EVENTS, path="_put_events", parameters=("data",)),
    Name(module=_S3, path="_deliver_event_to_sqs", parameters=("arn", "event_payload", "bucket_region")),
    Name(module=_STATES, path="_executions"),
    Name(module=_STATES, path="_invoke_resource", parameters=("resource", "input_data")),
    Name(module=_STATES, path="_run_execution", parameters=("exec_arn",)),
    Name(module=_STATES, path="_start_execution", parameters=("data",)),
    Name(module=_STATES, path="_state_machines"),
    Name(module="ministack.services.cloudformation.provisioners", path="_RESOURCE_HANDLERS"),
    Name(
        module="ministack.services.cloudformation.stacks",
        path="_resolve_stack_outputs",
        parameters=("outputs_defs", "conditions", "resources"),
    ),
)
"""The names, with the parameters that calls and replacements rely on."""


class NamesGoneError(Exception):
    """MiniStack is not the version this package was written for."""


def check(names: Iterable[Name] = REQUIRED) -> None:
    """Checks that every name is there and has the expected shape.

    Raises:
        NamesGoneError: Some are not; the message names each of them, the version found, and what to do.
    """
    problems = [problem for name in names if (problem := name.problem())]
    if problems:
        try:
            version = importlib.metadata.version("ministack")
        except importlib.metadata.PackageNotFoundError:
            version = "none"
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise NamesGoneError(
            f"MiniStack {version} lacks names that the local AWS uses (written for {VERSION}):{listed}\n"
            f"Install ministack=={VERSION}, or adapt the modules under local/patches to the new names."
        )

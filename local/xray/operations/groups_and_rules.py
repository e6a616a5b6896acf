"""Sampling rules and groups: their operations in the X-Ray API, and what CloudFormation makes of them.

Source: X-Ray API Reference, "CreateSamplingRule", "CreateGroup" and their neighbours.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid

from local.xray.filters.expressions import compile_filter
from local.xray.filters.tokens import FilterError
from local.xray.request import ApiError, Body, page
from local.xray.sampling.rules import DEFAULT_RULE, Rule
from local.xray.state import DEFAULT_GROUP, Group, XRay

# X-Ray endpoints and quotas: "Custom sampling rules per Region: 25".
_MAX_RULES = 25
# How many groups come at once is assumed.
_GROUPS_PER_PAGE = 10
_RULE_ARN = "arn:aws:xray:{region}:{account}:sampling-rule/{name}"


class Settings:
    """The operations on sampling rules and groups."""

    def __init__(self, xray: XRay) -> None:
        self._xray = xray

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {
            "GetSamplingRules": self._get_rules,
            "CreateSamplingRule": lambda body: {
                "SamplingRuleRecord": _record(self.create_rule(body["SamplingRule"], tags=body.get("Tags") or ()))
            },
            "UpdateSamplingRule": self._update_rule,
            "DeleteSamplingRule": self._delete_rule,
            "CreateGroup": lambda body: {"Group": _group(self.create_group(body, tags=body.get("Tags") or ()))},
            "UpdateGroup": lambda body: {"Group": _group(self.update_group(body))},
            "GetGroup": lambda body: {"Group": _group(self.existing_group(body))},
            "Groups": self._get_groups,
            "DeleteGroup": self._delete_group,
        }

    def create_rule(self, fields: Mapping[str, Any], *, tags: Iterable[Mapping[str, str]] = ()) -> Rule:
        """Creates a sampling rule from the fields of `CreateSamplingRule`.

        Raises:
            ApiError: A field or a tag does not fit, the name is taken, or there are 25 rules.
        """
        rule = _rule(fields)
        if self._xray.rules.get(rule.name):
            raise ApiError(f"Sampling rule {rule.name!r} already exists")
        if len(self._xray.rules.all()) > _MAX_RULES:
            raise ApiError(
                f"Exceeded the maximum number of sampling rules ({_MAX_RULES})", code="RuleLimitExceededException"
            )
        self._xray.tags.check(tags)
        self._xray.rules.put(rule)
        self._xray.tags.put(rule_arn(rule.name), tags)
        return rule

    def update_rule(self, name: str, fields: Mapping[str, Any]) -> Rule:
        """Changes the given fields of a sampling rule; the others stay.

        Raises:
            ApiError: There is no such rule, or a field does not fit.
        """
        known = self._existing_rule(name)
        merged = {**_rule_fields(known), **{key: value for key, value in fields.items() if value is not None}}
        if known.name == DEFAULT_RULE.name:
            # "You can't delete it, or change its priority or matching"; only rate and reservoir.
            rule = replace(known, fixed_rate=float(merged["FixedRate"]), reservoir_size=int(merged["ReservoirSize"]))
        else:
            rule = _rule({**merged, "RuleName": known.name})
        self._xray.rules.put(replace(rule, modified_at=time.time()))
        return rule

    def create_group(self, fields: Mapping[str, Any], *, tags: Iterable[Mapping[str, str]] = ()) -> Group:
        """Creates a group from the fields of `CreateGroup`.

        Raises:
            ApiError: The name is missing, reserved or taken, a tag does not fit, or the filter expression cannot be
                read.
        """
        name = fields.get("GroupName")
        if not isinstance(name, str) or not name:
            raise ApiError(f"GroupName is {name!r}, a string is expected")
        if name == DEFAULT_GROUP:
            raise ApiError(f"Group name {name!r} is reserved")
        if self._xray.groups.find(name):
            raise ApiError(f"Group {name!r} already exists")
        self._xray.tags.check(tags)
        arn = f"arn:aws:xray:{get_region()}:{get_account_id()}:group/{name}/{new_uuid().replace('-', '')[:26].upper()}"
        group = self._put_group(Group(name=name, arn=arn), fields)
        self._xray.tags.put(group.arn, tags)
        return group

    def update_group(self, fields: Mapping[str, Any]) -> Group:
        """Changes filter expression and insights of a group, found by GroupName or GroupARN.

        Raises:
            ApiError: There is no such group, or the filter expression cannot be read.
        """
        return self._put_group(self.existing_group(fields), fields)

    def _put_group(self, group: Group, fields: Mapping[str, Any]) -> Group:
        expression = str(fields.get("FilterExpression", group.filter_expression) or "")
        try:
            compile_filter(expression)
        except FilterError as problem:
            raise ApiError(str(problem)) from None
        if expression and group.name == DEFAULT_GROUP:
            raise ApiError(f"The group {DEFAULT_GROUP} holds every trace and takes no filter expression")
        insights = fields.get("InsightsConfiguration") or {}
        # "Updating a group's filter expression doesn't change data that's already recorded": X-Ray Developer Guide,
        # "Concepts", "Groups". Here it does; GetServiceGraph says that there was another expression.
        known = self._xray.groups.find(group.arn)
        changed = known is not None and known.filter_expression != expression
        group = replace(
            group,
            changed_at=time.time() if changed else group.changed_at,
            filter_expression=expression,
            insights=_flag(insights.get("InsightsEnabled", group.insights)),
            notifications=_flag(insights.get("NotificationsEnabled", group.notifications)),
        )
        if group.notifications and not group.insights:
            # "Notifications can only be enabled on a group with InsightsEnabled set to true."
            raise ApiError("NotificationsEnabled needs InsightsEnabled")
        self._xray.groups.put(group)
        return group

    def existing_group(self, fields: Mapping[str, Any]) -> Group:
        """Returns the group that GroupARN or GroupName names.

        Raises:
            ApiError: There is none.
        """
        key = fields.get("GroupARN") or fields.get("GroupName") or ""
        group = self._xray.groups.find(str(key))
        if group is None:
            raise ApiError(f"There is no group {key!r}")
        return group

    def _existing_rule(self, name: str) -> Rule:
        rule = self._xray.rules.get(name.rsplit("sampling-rule/", 1)[-1])
        if rule is None:
            raise ApiError(f"There is no sampling rule {name!r}")
        return rule

    def _get_groups(self, body: Body) -> Body:
        groups = [(group.arn, _group(group)) for group in self._xray.groups.all()]
        groups_of_page, token = page(groups, size=_GROUPS_PER_PAGE, token=body.get("NextToken"))
        return {"Groups": groups_of_page, **({"NextToken": token} if token else {})}

    def _get_rules(self, _body: Body) -> Body:
        return {"SamplingRuleRecords": [_record(rule) for rule in self._xray.rules.all()]}

    def _update_rule(self, body: Body) -> Body:
        fields: Mapping[str, Any] = body["SamplingRuleUpdate"]
        return {"SamplingRuleRecord": _record(self.update_rule(_rule_key(fields), fields))}

    def _delete_rule(self, body: Body) -> Body:
        rule = self._existing_rule(_rule_key(body))
        if self._xray.rules.delete(rule.name) is None:
            raise ApiError("The default sampling rule cannot be deleted")
        self._xray.tags.forget(rule_arn(rule.name))
        return {"SamplingRuleRecord": _record(rule)}

    def _delete_group(self, body: Body) -> Body:
        group = self.existing_group(body)
        if group.name == DEFAULT_GROUP:
            raise ApiError(f"The group {DEFAULT_GROUP} cannot be deleted")
        self._xray.groups.delete(group.arn)
        self._xray.tags.forget(group.arn)
        return {}


def rule_arn(name: str) -> str:
    """Returns the ARN of a sampling rule of the account and Region being served."""
    return _RULE_ARN.format(region=get_region(), account=get_account_id(), name=name)


def _rule(fields: Mapping[str, Any]) -> Rule:
    name = fields.get("RuleName")
    if not isinstance(name, str) or not 1 <= len(name) <= 32:
        raise ApiError(f"RuleName is {name!r}, 1 to 32 characters are expected")
    try:
        priority, reservoir = int(fields["Priority"]), int(fields["ReservoirSize"])
        rate = float(fields["FixedRate"])
    except (KeyError, TypeError, ValueError) as problem:
        raise ApiError(
            f"Sampling rule {name!r} needs Priority, FixedRate and ReservoirSize as numbers: {problem!r}"
        ) from None
    if not (1 <= priority <= 9999 and 0 <= rate <= 1 and reservoir >= 0):
        raise ApiError(
            f"Sampling rule {name!r} has Priority {priority}, FixedRate {rate}, ReservoirSize {reservoir}; "
            "expected are 1 to 9999, 0 to 1, and 0 or more"
        )
    required = ("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN")
    missing = [field for field in required if not fields.get(field)]
    if missing:
        raise ApiError(f"Sampling rule {name!r} lacks {', '.join(missing)}; use * to match anything")
    return Rule(
        name=name,
        priority=priority,
        fixed_rate=rate,
        reservoir_size=reservoir,
        service_name=str(fields["ServiceName"]),
        service_type=str(fields["ServiceType"]),
        host=str(fields["Host"]),
        http_method=str(fields["HTTPMethod"]),
        url_path=str(fields["URLPath"]),
        resource_arn=str(fields["ResourceARN"]),
        attributes=dict(fields.get("Attributes") or {}),
        boost=fields.get("SamplingRateBoost"),
    )


def _rule_fields(rule: Rule) -> Body:
    return {
        "RuleName": rule.name,
        "RuleARN": rule_arn(rule.name),
        "ResourceARN": rule.resource_arn,
        "Priority": rule.priority,
        "FixedRate": rule.fixed_rate,
        "ReservoirSize": rule.reservoir_size,
        "ServiceName": rule.service_name,
        "ServiceType": rule.service_type,
        "Host": rule.host,
        "HTTPMethod": rule.http_method,
        "URLPath": rule.url_path,
        "Version": 1,
        "Attributes": rule.attributes,
        **({"SamplingRateBoost": rule.boost} if rule.boost else {}),
    }


def _record(rule: Rule) -> Body:
    return {"SamplingRule": _rule_fields(rule), "CreatedAt": rule.created_at, "ModifiedAt": rule.modified_at}


def _group(group: Group) -> Body:
    return {
        "GroupName": group.name,
        "GroupARN": group.arn,
        "FilterExpression": group.filter_expression,
        "InsightsConfiguration": {"InsightsEnabled": group.insights, "NotificationsEnabled": group.notifications},
    }


def _rule_key(fields: Mapping[str, Any]) -> str:
    return str(fields.get("RuleName") or fields.get("RuleARN") or "")


def _flag(value: object) -> bool:
    return value is True or str(value).lower() == "true"

"""Which effect is whose."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.selftest.proxy.effect import Effect, Idle
from harness.selftest.proxy.effects import (
    access,
    answers,
    headers,
    members,
    memory,
    quota,
    readiness,
    requests,
    statuses,
    telling,
    timing,
    wire,
)
from harness.selftest.proxy.fault import ProxyFault

EFFECTS: Mapping[str, type[Effect]] = MappingProxyType(
    {
        "none": Effect,
        "numbers_biased": answers.NumbersBiased,
        "numbers_rounded": answers.NumbersRounded,
        "numbers_through_float16": answers.NumbersThroughFloat16,
        "one_kind_of_request_biased": answers.OneKindOfRequestBiased,
        "array_items_swapped": answers.ArrayItemsSwapped,
        "members_swapped": answers.MembersSwapped,
        "batch_rotated": answers.BatchRotated,
        "batch_cut_short": answers.BatchCutShort,
        "null_to_zero": answers.NullToZero,
        "not_a_number_answered": answers.NotANumberAnswered,
        "number_as_text": answers.NumberAsText,
        "large_integers_rounded": requests.LargeIntegersRounded,
        "null_taken_for_zero": requests.NullTakenForZero,
        "text_taken_for_number": requests.TextTakenForNumber,
        "path_normalised": requests.PathNormalised,
        "member_dropped": members.MemberDropped,
        "member_added": members.MemberAdded,
        "member_renamed": members.MemberRenamed,
        "label_replaced": members.LabelReplaced,
        "error_told_as_success": statuses.ErrorToldAsSuccess,
        "refusal_as_server_error": statuses.RefusalAsServerError,
        "refusal_as_success": statuses.RefusalAsSuccess,
        "undocumented_status": statuses.UndocumentedStatus,
        "unauthorized_as_forbidden": statuses.UnauthorizedAsForbidden,
        "refusals_as_html": statuses.RefusalsAsHtml,
        "other_content_type": headers.OtherContentType,
        "other_charset": headers.OtherCharset,
        "compressed_unasked": headers.CompressedUnasked,
        "echoed_header_lost": headers.EchoedHeaderLost,
        "challenge_lost": headers.ChallengeLost,
        "retry_after_zero": headers.RetryAfterZero,
        "retry_after_missing": headers.RetryAfterMissing,
        "remaining_overstated": headers.RemainingOverstated,
        "credentials_stripped": access.CredentialsStripped,
        "anonymous_let_in": access.AnonymousLetIn,
        "any_credential_accepted": access.AnyCredentialAccepted,
        "credential_prefix_accepted": access.CredentialPrefixAccepted,
        "quota_not_enforced": quota.QuotaNotEnforced,
        "throttled_at_random": quota.ThrottledAtRandom,
        "charged_twice": quota.ChargedTwice,
        "stale_answer": memory.StaleAnswer,
        "cached_for_anybody": memory.CachedForAnybody,
        "mixed_up_under_concurrency": memory.MixedUpUnderConcurrency,
        "stalled": timing.Stalled,
        "slower": timing.Slower,
        "slower_with_use": timing.SlowerWithUse,
        "first_request_slow": timing.FirstRequestSlow,
        "large_requests_slow": timing.LargeRequestsSlow,
        "one_at_a_time": timing.OneAtATime,
        "connections_slow": timing.ConnectionsSlow,
        "connection_dropped": wire.ConnectionDropped,
        "body_cut": wire.BodyCut,
        "byte_by_byte": wire.ByteByByte,
        "closed_unannounced": wire.ClosedUnannounced,
        "ready_too_early": readiness.ReadyTooEarly,
        "unready_under_load": readiness.UnreadyUnderLoad,
        "metrics_frozen": telling.MetricsFrozen,
        "counters_halved": telling.CountersHalved,
        "seconds_in_milliseconds": telling.SecondsInMilliseconds,
        "another_version_told": telling.AnotherVersionTold,
        "document_without_a_path": telling.DocumentWithoutAPath,
    }
)


def effect_of(
    fault: ProxyFault, credential_headers: frozenset[str] = frozenset(), *, idle: bool = False
) -> Effect:
    """The effect of a fault, as its parameters and its seed make it; ``idle``: what it holds, and no more."""
    effect = EFFECTS[fault.name]
    return Idle(effect, fault, credential_headers) if idle else effect(fault, credential_headers)

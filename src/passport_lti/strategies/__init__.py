"""What the gradebook should look like: pure decisions, one file each, one line here."""

from passport_lti.strategies.base import GradeSyncStrategy
from passport_lti.strategies.final_grade import FinalGrade
from passport_lti.strategies.granular_auto_columns import GranularAutoColumns
from passport_lti.strategies.granular_deep_linked import GranularDeepLinked

STRATEGIES: dict[str, GradeSyncStrategy] = {
    strategy.key: strategy
    for strategy in (FinalGrade(), GranularDeepLinked(), GranularAutoColumns())
}

__all__ = [
    "STRATEGIES",
    "FinalGrade",
    "GradeSyncStrategy",
    "GranularAutoColumns",
    "GranularDeepLinked",
]

package review

import (
	"maps"
	"slices"
)

// Rules lists every rule, in the order that its page shows them.
func Rules() []*Rule {
	return []*Rule{
		mutationWithoutProof(), proofCannotFail(), proofReadsOwnResult(), exitCodeAsProof(), goalIsPrecondition(), manualWithoutGoal(),
		destructiveUnguarded(), notTakenBack(), templateInOtherLanguage(), secretInPlainText(), shellWhereTyped(),
		unorderedConflict(), whenReadsRepairedCheck(), stepNeverRuns(),
		sleepInsteadOfDeadline(), retryNeverApplies(), approvalNobodyGives(), timeoutShorterThanHold(),
		unusedVariable(), unusedLocal(), unusedCheck(),
		contradictingEffects(), deletesWhatAnotherNeeds(), schedulesCollide(),
		ignoreMalformed(), ignoreUnused(),
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

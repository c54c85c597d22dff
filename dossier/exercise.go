package dossier

// The stages of an exercise. What is played runs on lines of its own; here
// stands what was announced, and where the exercise is. NO PLAY and END EX stop
// it whoever says so, and nothing starts it again.
const (
	ExerciseAnnounced Stage = "exercise-announced" // one's own
	ExerciseProposed  Stage = "exercise-proposed"
	ExerciseAccepted  Stage = "exercise-accepted"
	ExerciseDeclined  Stage = "exercise-declined"
	ExerciseCalledOff Stage = "exercise-called-off"
	ExerciseRunning   Stage = "exercise-running"
	ExercisePaused    Stage = "exercise-paused"
	ExerciseHalted    Stage = "exercise-halted" // NO PLAY
	ExerciseEnded     Stage = "exercise-ended"  // END EX
	ExerciseReported  Stage = "exercise-reported"
	ReportAgreed      Stage = "report-agreed"
	ReportDiffers     Stage = "report-differs"
)

var exerciseMachine = machine{
	next: map[Stage][]Stage{
		"":                {ExerciseAnnounced, ExerciseProposed, ExerciseReported, ReportDiffers},
		ExerciseAnnounced: {ExerciseAnnounced, ExerciseCalledOff, ExerciseRunning, ExerciseHalted, ExerciseEnded},
		ExerciseProposed:  {ExerciseProposed, ExerciseAccepted, ExerciseDeclined, ExerciseCalledOff},
		ExerciseAccepted:  {ExerciseProposed, ExerciseDeclined, ExerciseCalledOff, ExerciseRunning, ExerciseHalted, ExerciseEnded},
		ExerciseDeclined:  {ExerciseProposed, ExerciseAccepted},
		ExerciseCalledOff: {ExerciseProposed, ExerciseAnnounced},
		ExerciseRunning:   {ExercisePaused, ExerciseHalted, ExerciseEnded},
		ExercisePaused:    {ExerciseRunning, ExerciseHalted, ExerciseEnded},
		ExerciseHalted:    {ExerciseEnded, ExerciseReported, ReportDiffers},
		ExerciseEnded:     {ExerciseReported, ReportDiffers},
		ExerciseReported:  {ReportAgreed, ReportDiffers},
		ReportAgreed:      {},
		ReportDiffers:     {ReportAgreed, ReportDiffers, ExerciseReported},
	},
	turns: map[Move]turn{
		"announce": {
			by: "step", stays: true, quiet: []string{"own", "accept", "decline", "call-off"},
			codes: map[string]Stage{
				"own": ExerciseAnnounced, "joint": ExerciseProposed, "other-dates": ExerciseProposed, "accept": ExerciseAccepted, "decline": ExerciseDeclined, "call-off": ExerciseCalledOff,
			},
			joint: joint{answering: []string{"accept", "decline", "other-dates"}, against: []string{"joint", "other-dates"}},
		},
		"control": {
			by:    "state",
			codes: map[string]Stage{"start": ExerciseRunning, "pause": ExercisePaused, "resume": ExerciseRunning, "no-play": ExerciseHalted, "end": ExerciseEnded},
			after: []Move{"announce"},
		},
		"report": {
			to: ExerciseReported, by: "position", codes: map[string]Stage{"agree": ReportAgreed, "differ": ReportDiffers}, stays: true,
			joint: joint{same: []string{"exercise", "text"}, binds: []string{"agree"}, both: ReportAgreed, apart: ReportDiffers, answering: []string{"agree"}},
		},
	},
	rest: []Stage{ExerciseDeclined, ExerciseCalledOff, ExerciseHalted, ExerciseEnded, ExerciseReported, ReportAgreed, ReportDiffers, Withdrawn},
	ends: []Stage{ExerciseDeclined, ExerciseCalledOff},
	plan: planExercise,
}

// planExercise notes the window that holds. Time alone starts and ends nothing.
func planExercise(f *fold, it Item) []pass {
	if w, ok := it.Facts.Windows["window"]; ok {
		f.d.Window = w
	}
	return nil
}

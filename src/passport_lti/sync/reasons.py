"""The reason codes of cells, activities and rosters, and what to do about each."""

from passport_lti.words import N_

REMEDIES = {
    "not_gradable": N_(
        "The platform does not grade this person in this course. Check the enrolment and the "
        "role; the score is tried again when the roster changes."
    ),
    "not_matched": N_(
        "The Coursera account that this grade came from is not matched to this person any "
        "more. Nothing is sent; what the gradebook holds stays: correct it there if it is "
        "wrong."
    ),
    "not_enrolled": N_("This person is not enrolled in the course any more."),
    "overridden": N_(
        "A teacher changed this grade in the gradebook. It is kept; press Send anyway to "
        "replace it."
    ),
    "locked": N_(
        "The gradebook refuses changes to this cell. Unlock the column or the grade; where "
        "the activity is being deleted, nothing needs to be done."
    ),
    "column_gone": N_("The column was deleted in the gradebook. Press Make again to have it back."),
    "column_doubled": N_(
        "A column stands twice in the gradebook, because something else made one too. One of "
        "them is filled. Open the activity as a teacher and press Merge."
    ),
    "context_gone": N_(
        "The course is not on the platform any more, or the tool may not see it. Its grades "
        "are kept here; if it comes back, open the activity once."
    ),
    "conflict": N_(
        "The gradebook says that this cell was changed at a later time than now. The score is "
        "sent when that time has come; check the platform's clock."
    ),
    "refused": N_(
        "The platform refuses the request. Check the tool's services, and run passport-lti doctor."
    ),
    "column_idle": N_("No activity uses this column any more; its grades stay."),
    "scope_missing": N_(
        "The platform does not let this tool use the service. Switch on “grade sync and "
        "column management” and the membership service for the tool."
    ),
    "token_refused": N_("The platform refuses this tool's key. Check the public keyset address."),
    "forbidden": N_("The platform forbids this. Check the tool's services and its course."),
    "platform_down": N_("The platform does not answer; the score is tried again by itself."),
    "bad_gateway": N_(
        "The platform fails on this score and takes others; it is tried again by itself. If "
        "it stays so, the platform's error log says why."
    ),
    "rate_limited": N_("The platform asked us to wait; the score is tried again by itself."),
    "scale_unknown": N_(
        "Coursera has only reported 0 and 1, so it is not clear whether 1 means 1 % or 100 %. "
        "Set grade_scale, or wait for the next grades."
    ),
    "column_missing": N_(
        "The platform has not made a column for this activity. Set “Accept grades from the "
        "tool” to Always, then save the activity once."
    ),
    "column_unwanted": N_(
        "The platform made a column that nothing fills. Set “Accept grades from the tool” to "
        "Delegate, or include the course grade."
    ),
    "emails_hidden": N_(
        "The platform hides the learners' e-mail addresses from the tool, so nobody can be "
        "matched. In the tool's settings, under Privacy, set “Share launcher's email with "
        "tool” to Always."
    ),
    "some_emails_hidden": N_(
        "The platform hides the e-mail addresses of some learners from the tool, so these "
        "can't be matched by themselves. In the tool's settings, under Privacy, set “Share "
        "launcher's email with tool” to Always, or match them by hand on the activity's page."
    ),
    "usernames_hidden": N_(
        "The platform hides user names from the tool, and people are matched by them. In the "
        "tool's settings, under Privacy, set “Share launcher's name with tool” to Always."
    ),
    "id_numbers_missing": N_(
        "Learners are matched by their ID number, and the platform has none for some of them. "
        "Fill in the ID number in their profiles, or match them by hand on the activity's "
        "page."
    ),
    "roster_unknown": N_(
        "The platform has not given access to the list of participants, so only those who "
        "opened an activity are known. Switch on the membership service for the tool; the "
        "next launch by anybody brings it."
    ),
    "line_items_missing": N_(
        "The platform did not offer its gradebook. Switch on “grade sync and column "
        "management” for the tool, then open the activity once."
    ),
    "coursera_refused": N_(
        "Coursera refuses the key of this connection. Check api_key and api_secret of the "
        "connection under coursera: in the configuration."
    ),
    "coursera_forbidden": N_(
        "Coursera's key may not read this. Check org_id of the connection, and ask Coursera to "
        "entitle the app to the organisation and to its reports."
    ),
    "coursera_gone": N_(
        "Coursera has no such course, program or organisation any more. Check org_id and the "
        "program; the grades that were sent stay."
    ),
    "coursera_bad_request": N_(
        "Coursera does not understand the question. org_id and programs must be encoded ids, not "
        "slugs."
    ),
    "coursera_unknown": N_(
        "The activity names a Coursera connection that is not under coursera: in the "
        "configuration any more. Bring it back under its old name."
    ),
    "coursera_down": N_("Coursera does not answer; it is asked again by itself."),
    "coursera_malformed": N_(
        "Coursera's answer could not be read; it is asked again by itself. If it stays so, "
        "check api_base of the connection."
    ),
    "coursera_rate_limited": N_("Coursera asked us to wait; it is asked again by itself."),
}
"""What to do about each reason, for people."""

NAMES = {
    "not_gradable": N_("not graded here"),
    "not_matched": N_("another person's account"),
    "not_enrolled": N_("left the course"),
    "overridden": N_("changed by a teacher"),
    "locked": N_("locked in the gradebook"),
    "column_gone": N_("column deleted"),
    "column_doubled": N_("column stands twice"),
    "context_gone": N_("course is gone"),
    "conflict": N_("changed in the future"),
    "refused": N_("refused"),
    "column_idle": N_("column not used any more"),
    "scope_missing": N_("service is switched off"),
    "token_refused": N_("key is refused"),
    "forbidden": N_("forbidden"),
    "platform_down": N_("no answer"),
    "bad_gateway": N_("error in the platform"),
    "rate_limited": N_("asked to wait"),
    "scale_unknown": N_("scale not clear"),
    "server_error": N_("error in the platform"),
}
"""The reasons of cells in a few words, for a table."""

STATES = {
    "delivered": N_("in the gradebook"),
    "due": N_("on the way"),
    "held": N_("held"),
    "rejected": N_("refused"),
    "superseded": N_("not wanted any more"),
}
"""The states of cells, for people."""

SEATS = {
    "waiting": N_("Coursera has not answered yet; this is done by itself."),
    "no_external_id": N_(
        "The platform does not say by what Coursera is to know this person (the setting "
        "identity.external_id). Share it with the tool under Privacy, or fill it in in the "
        "person's profile; the next launch tries again."
    ),
    "no_email": N_(
        "The platform hides this person's e-mail address, and Coursera invites nobody without "
        "one. In the tool's settings, under Privacy, set “Share launcher's email with tool” to "
        "Always; the next launch tries again."
    ),
    "id_shared": N_(
        "Somebody of another platform has the same number, and Coursera would take both for one "
        "person. Choose another identity.external_id than sub."
    ),
    "not_joined": N_("The person could not be enrolled, because joining the program came first."),
    "not_enrolled": N_("This person had left the course before Coursera could be asked."),
    "switched_off": N_("The platform's provisioning was switched off before it was done."),
    "coursera_down": N_("Coursera does not answer; it is asked again by itself."),
    "coursera_malformed": N_("Coursera's answer makes no sense; it is asked again by itself."),
    "coursera_rate_limited": N_("Coursera asked us to wait; it is asked again by itself."),
    "coursera_refused": N_(
        "Coursera refuses the key of this tool. The administrator should run passport-lti doctor; "
        "it is tried again by itself."
    ),
    "coursera_forbidden": N_(
        "The tool's key may not invite or enrol people. The administrator should ask Coursera for "
        "that entitlement; it is tried again by itself."
    ),
    "coursera_unknown": N_("The configuration has no such connection to Coursera."),
    "coursera_bad_request": N_(
        "Coursera refuses this person, most often because the program has no seat left. The next "
        "launch tries again."
    ),
    "coursera_gone": N_(
        "Coursera does not know the program, the course or the person. The next launch tries again."
    ),
}
"""Why a learner has no place at Coursera by a launch, and what to do about it."""

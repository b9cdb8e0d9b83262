"""One course in several contexts, deployments and options at once: each keeps to itself."""


def through(world, context, deployment):
    """Launches from this context come through another deployment of the same client."""

    def changed(header, claims, _key):
        if claims["https://purl.imsglobal.org/spec/lti/claim/context"]["id"] == context.id:
            claims["https://purl.imsglobal.org/spec/lti/claim/deployment_id"] = deployment
        return header, claims

    world.campus.on_id_token = changed


def test_a_copy_behind_another_deployment_waits_for_approval_and_has_its_own_grades(published):
    amy, ben = published.school.learners[:2]
    copy = published.campus.copy_context(published.school.context, "DATA102", "Next year")
    published.campus.enrol(copy, ben, "learner")
    published.grade(ben, "columns", "Averages", 55)
    [activity] = published.campus.activities(copy)
    through(published, copy, "second")
    refused = published.campus.browser(ben).launch(activity, follow=False)
    assert published.command("platform", "approve", "campus", "second").returncode == 0
    published.campus.browser(ben).launch(activity)

    assert published.sync().ok

    book = published.campus.gradebook(copy)
    assert refused.headers["X-LTI-Error"] == "deployment_unknown"
    assert book["Averages", ben] == 55 and book["Averages", amy] is None
    assert published.book["Averages", amy] == 80 and sorted(book.columns) == sorted(
        published.book.columns
    )
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_one_course_in_many_contexts_is_read_once(published):
    contexts = []
    for number in range(3):
        copy = published.campus.copy_context(published.school.context, f"C{number}", "A copy")
        person = published.school.learners[number]
        published.campus.enrol(copy, person, "learner")
        published.campus.browser(person).launch(published.campus.activities(copy)[0])
        published.grade(person, "columns", "Averages", 50 + number)
        contexts.append((copy, person, 50 + number))
    published.coursera.ledger.clear()

    assert published.sync().ok

    assert published.coursera.count("gradebook") == 1
    for copy, person, percent in contexts:
        book = published.campus.gradebook(copy)
        assert book["Averages", person] == percent
        for other in published.school.learners:
            assert other is person or book["Averages", other] is None


def test_every_option_for_one_course_in_one_context(published):
    """A column of an item by its own activity, and one that option B's activities share."""
    amy = published.school.learners[0]
    item = [published.school.courses["columns"].item("Averages").id]
    [single] = published.publish("columns", "granular_deep_linked", item=item)
    [final] = published.publish("columns", "final_grade")
    [some] = published.publish("columns", "granular_auto_columns", item=item, points="weight")
    before = len(published.book.columns)
    published.grade(amy, "columns", "Averages", 90)

    assert published.sync().ok

    assert published.book[single, amy] == 90 and published.book[final, amy] == 22.5
    shared = [
        column
        for column in published.book.line_items
        if column.resource_id.endswith(item[0]) and column.activity is None
    ]
    assert [published.book[column, amy] for column in shared] == [90]
    assert len(published.book.columns) == before and published.book[some, amy] is None
    assert published.sync().summary["http_requests"]["platform"] == 0

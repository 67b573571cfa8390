"""The page in a real browser: what a person does with it."""

import shutil
import threading
import time
from pathlib import Path

import pytest

import chainrule
from chainrule.page.door import Door
from chainrule.page.server import Server
from chainrule.page.session import HeldModel, Session

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(scope="module")
def link():
    door = Door()
    server = Server(Session(), door)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield door.link
    server.stop()
    thread.join(20)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, link):
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda said: said.type == "error" and "400" not in said.text and wrong.append(said.text)
    )
    page.goto(link)
    until(page, lambda: epoch(page) > 0)
    yield page
    context.close()
    assert not wrong


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def text(page, name):
    return part(page, name).text_content()


def epoch(page):
    return int(text(page, "at-epoch").split("+")[0].replace(",", ""))


def number(said):
    return float(said.replace("−", "-").replace("e−", "e-"))


def until(page, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, (
            f"it did not come to that; the page says: {page.text_content('#wrong')}"
        )
        page.wait_for_timeout(50)


def pause(page):
    if text(page, "play") == "Pause":
        part(page, "play").click()
    until(page, lambda: text(page, "play") == "Play")


def serious(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def test_the_spirals_are_solved_within_20_seconds(page):
    """With the settings that the page begins with, at the pace that one can watch."""
    until(page, lambda: number(text(page, "validation-loss")) < 0.05, 20)
    assert text(page, "score").partition("validating ")[2][:2] in ("10", "99", "98", "97", "96", "95")
    assert "token" not in page.url, "an address that is copied holds no token"


def test_a_weight_s_derivation_is_read_and_the_weight_edited(page):
    pause(page)
    page.locator(".units button").nth(2).click()
    page.get_by_role("heading", name="Unit h1[1]").wait_for()
    assert page.get_by_role("button", name="W2[8,1]").is_visible(), "where it goes is there, too"
    page.get_by_label("Any weight, by its name").fill("W9[1,1]")
    page.get_by_role("button", name="Open", exact=True).click()
    until(page, lambda: "a weight must be an entry" in page.text_content("#wrong"))
    until(page, lambda: page.locator(".selected").is_hidden())
    page.get_by_label("Any weight, by its name").fill("b2[1]")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Weight b2[1]").wait_for()
    page.locator(".units button").nth(0).click()
    page.get_by_role("heading", name="Unit x1").wait_for()
    page.locator(".units button").nth(2).click()
    page.get_by_role("heading", name="Unit h1[1]").wait_for()
    page.get_by_role("button", name="W1[1,2]").click()
    page.get_by_role("heading", name="Weight W1[1,2]").wait_for()
    three = [number(page.locator(".numbers.three dd").nth(k).text_content()) for k in range(3)]
    assert three[0] == pytest.approx(three[1], rel=1e-6)
    assert three[0] == pytest.approx(three[2], rel=1e-3, abs=1e-8)
    assert page.locator(".derivation math").count() > 20
    before = text(page, "loss")
    page.get_by_label("Set W1[1,2] to").fill("3.5")
    page.get_by_role("button", name="Set", exact=True).click()
    until(page, lambda: text(page, "loss") != before)
    until(page, lambda: page.locator(".selected .numbers dd").first.text_content() == "3.5")
    assert serious(page) == []


def test_one_rewinds_and_goes_on(page):
    until(page, lambda: epoch(page) >= 5)
    pause(page)
    last = epoch(page)
    scrubber = part(page, "scrubber")
    scrubber.focus()
    page.keyboard.press("Home")
    until(page, lambda: epoch(page) == 0)
    assert f"epoch 0 of {last}: looking back" in text(page, "scrub-said")
    part(page, "epoch").click()
    until(page, lambda: epoch(page) == 1)
    assert "the newest" in text(page, "scrub-said")
    part(page, "batch").click()
    until(page, lambda: "1 steps" in text(page, "at-epoch"))
    part(page, "restart").click()
    until(page, lambda: text(page, "at-epoch") == "0")


def test_a_row_is_followed_forward_and_back(page):
    pause(page)
    page.get_by_role("button", name="Row 3: see its two passes").click()
    says = page.locator(".says")
    says.wait_for()
    assert "The row comes in" in says.text_content()
    for expected in ("z1 = W1 x + b1", "z2 = W2 h1 + b2", "z3 = W3 h2 + b3", "the loss", "δ3", "δ2", "δ1"):
        page.get_by_role("button", name="Next step").click()
        assert expected in says.text_content()
    assert page.get_by_role("button", name="Next step").is_disabled()
    page.get_by_role("button", name="Step back").click()
    assert "δ2" in says.text_content()


def test_a_table_is_brought_along_and_a_bad_one_is_told(page, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1\n2,3,4\n")
    part(page, "upload").set_input_files(bad)
    until(page, lambda: "must have 2 cells in each row" in page.text_content("#wrong"))
    pause(page)
    dated = tmp_path / "dated.csv"
    dated.write_text("a,b,when\n" + "".join(f"{k},{k % 3},2020-01-{k:02d}\n" for k in range(1, 29)))
    part(page, "upload").set_input_files(dated)
    until(page, lambda: "must be numbers or classes" in page.text_content("#wrong"))
    part(page, "target").select_option("a")
    until(page, lambda: "Predict a" in text(page, "title"))
    part(page, "upload").set_input_files(PENGUINS)
    until(page, lambda: "Predict year" in text(page, "title"))
    part(page, "target").select_option("species")
    until(page, lambda: "Classify species" in text(page, "title"))
    part(page, "play").click()
    until(page, lambda: text(page, "score").partition("validating ")[2][:1] in ("9", "1"))
    pause(page)
    assert page.locator("table.confusion").is_visible()
    assert serious(page) == []
    with page.expect_download() as download:
        part(page, "model").click()
    download.value.save_as(tmp_path / "network.chainrule")
    model = chainrule.load(tmp_path / "network.chainrule")
    table = chainrule.read_table(PENGUINS)
    assert model.score(table.drop("species"), table["species"].to_numpy()) > 0.9


def test_another_set_up_is_another_run(page, link):
    part(page, "setup-fold").locator("summary").click()
    page.get_by_label("Activation").select_option("relu")
    until(page, lambda: "relu" in text(page, "title"))
    page.get_by_role("button", name="Add a layer").click()
    until(page, lambda: "2-8-8-8-1" in text(page, "title"))
    page.get_by_role("button", name="Remove layer 1").click()
    until(page, lambda: "2-8-8-1" in text(page, "title"))
    page.get_by_label("Learning rate").fill("0.01")
    page.get_by_label("Learning rate").press("Tab")
    part(page, "data").select_option("set:hills")
    until(page, lambda: "Predict y" in text(page, "title"))
    until(page, lambda: epoch(page) > 3)
    assert text(page, "score-name") == "R²"
    part(page, "code").click()
    until(page, lambda: page.locator("#code code").text_content() != "")
    code = page.locator("#code code").text_content()
    assert "activation='relu'" in code
    assert "learning_rate_init=0.01" in code
    page.get_by_role("button", name="Close", exact=True).last.click()
    part(page, "share").click()
    until(page, lambda: "#setup=" in page.url)
    shared = page.url.partition("#")[2]
    page.goto("about:blank")
    page.goto(f"{link}#{shared}")
    until(page, lambda: "relu" in text(page, "title"))


def test_two_runs_stand_side_by_side(page):
    page.get_by_role("button", name="Compare with a second run").click()
    until(page, lambda: page.locator(".run").count() == 2)
    second = page.locator(".run").nth(1)
    until(page, lambda: second.locator('[data-part="title"]').text_content() != "Starting…")
    page.get_by_role("button", name="Pause both").click()
    page.get_by_role("button", name="Play both").click()
    until(page, lambda: second.locator('[data-part="at-epoch"]').text_content() != "0")
    until(page, lambda: text(page, "play") == "Pause")
    page.get_by_role("button", name="Pause both").click()
    for view in (page.locator(".run").first, second):
        until(page, lambda view=view: view.locator('[data-part="play"]').text_content() == "Play")
    chart = page.locator("#compared svg")
    assert chart.locator("text.name").all_text_contents()[1:] == ["First run", "Second run"]
    assert "First run" in chart.get_attribute("aria-label")
    assert serious(page) == []
    second.get_by_role("button", name="Close this run").click()
    until(page, lambda: page.locator(".run").count() == 1)


def test_with_the_keyboard_alone(page):
    part(page, "play").focus()
    page.keyboard.press("Space")
    until(page, lambda: text(page, "play") == "Play")
    page.locator('.units button[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Unit h1[").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    for _ in range(6):
        if page.evaluate("() => document.activeElement.textContent").startswith("W1["):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Weight W1[").wait_for()
    part(page, "data").focus()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("() => document.activeElement !== document.body"), "focus is never lost"


def test_a_model_without_a_table(browser, tmp_path):
    table = chainrule.read_table(PENGUINS)
    model = chainrule.DeepClassifier((6,), max_iter=3, n_members=2, random_state=0)
    model.fit(table.drop("species"), table["species"].to_numpy())
    model.about_ = {"target": ["species"]}
    door = Door()
    server = Server(Session(model=HeldModel("penguins.chainrule", model)), door)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(door.link)
    until(page, lambda: page.locator("[data-row]").count() > 3)
    assert part(page, "play").is_disabled()
    assert "came without a table" in text(page, "model-said")
    assert "2 networks" in text(page, "model-said")
    page.get_by_label("flipper_length_mm").fill("many")
    page.get_by_role("button", name="Add this row").click()
    until(page, lambda: "must be numeric" in page.text_content("#wrong"))
    page.get_by_label("flipper_length_mm").fill("215")
    page.get_by_label("island").select_option("Biscoe")
    page.get_by_role("button", name="Add this row").click()
    says = page.locator(".says")
    until(page, lambda: "Biscoe" in (says.text_content() if says.count() else ""))
    assert "Nobody knows its truth" in says.text_content()
    for _ in range(2):
        page.get_by_role("button", name="Next step").click()
    assert "Without a truth there is no loss" in says.text_content()
    page.locator(".units button").nth(3).click()
    page.locator(".selected table button").first.click()
    until(page, lambda: page.locator(".numbers.three dd").count() == 3)
    assert "∂ŷ₁/∂w, row 51" in page.locator(".selected").text_content()
    page.get_by_role("combobox", name="species").select_option("Gentoo")
    page.get_by_role("button", name="Add this row").click()
    until(page, lambda: "Its truth is Gentoo" in says.text_content())
    until(page, lambda: "∂L/∂w, row 52" in page.locator(".selected").text_content())
    assert serious(page) == []
    with page.expect_download() as download:
        part(page, "model").click()
    download.value.save_as(tmp_path / "m.chainrule")
    assert chainrule.load(tmp_path / "m.chainrule").n_members_ == 1
    part(page, "upload").set_input_files(PENGUINS)
    until(page, lambda: part(page, "play").is_enabled())
    assert "came without" not in text(page, "model-said")
    part(page, "epoch").click()
    until(page, lambda: epoch(page) == 1)
    server.stop()
    thread.join(20)
    context.close()


def test_forced_colours_and_a_pace_of_one_s_own(page):
    page.emulate_media(forced_colors="active")
    pause(page)
    page.get_by_role("button", name="Row 2: see its two passes").click()
    page.get_by_label("Pace of the animation").select_option("0.5")
    page.get_by_role("button", name="Animate").click()
    until(page, lambda: page.get_by_role("button", name="Next step").is_disabled(), 10)
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1920])
def test_any_width_light_and_dark(page, scheme, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(200)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert serious(page) == []


def test_a_server_that_is_gone_is_told(browser):
    door = Door()
    server = Server(Session(), door)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    context = browser.new_context()
    page = context.new_page()
    page.goto(door.link)
    until(page, lambda: epoch(page) > 0)
    server.stop()
    thread.join(20)
    until(page, lambda: "its server is gone" in text(page, "lost"))
    context.close()


def test_the_page_is_painted_before_its_script_runs(browser, link):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    start = time.monotonic()
    page.goto(link)
    assert page.get_by_role("button", name="Play").is_visible()
    assert time.monotonic() - start < 1
    context.close()

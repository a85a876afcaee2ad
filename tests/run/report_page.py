"""The page of `mot report` in headless Chromium, as a person uses it: what its buttons, keys, selectors and files say is
compared with the data it was made of. That it asks no network, keeps its policy, has room at 400 % zoom, prints whole and has
colours for every eye. Its size and how long it takes to open are printed."""
import base64, csv, itertools, json, os, random, re, shutil, sys, tempfile

sys.path.insert(0, os.path.join(os.environ["MOT_SOURCE_DIR"], "tests", "support"))
import report_sample
from drive import check, failures, mot


def skip(why):
    print("skipped:", why)
    sys.exit(77)


PAGE = os.path.join(os.environ["MOT_BUILD_DIR"], "src", "report", "page.html")
if not os.path.exists(PAGE):
    skip("built without the chart library (Debian: node-d3)")
try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import Select, WebDriverWait
except ImportError:
    skip("no selenium (Debian: python3-selenium)")
if not shutil.which("chromium") or not shutil.which("chromedriver"):
    skip("no Chromium or no driver of it (Debian: chromium, chromium-driver)")

LIMIT = 600  # seconds after which a wait counts as hanging
scratch = tempfile.mkdtemp(prefix="mot-page.")


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,1024", "--no-first-run", "--disable-extensions",
                     "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + scratch + "/profile"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    started.set_page_load_timeout(LIMIT)
    started.set_script_timeout(LIMIT)
    started.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": scratch})
    return started


def opened(name, data):
    """Opens the page of some data, and answers its size."""
    path = os.path.join(scratch, name + ".html")
    with open(path, "w") as file:
        file.write(report_sample.fill(template, data))
    browser.get("file://" + path)
    return os.path.getsize(path)


def quiet(where):
    """Nothing on the console, and no request but of the page itself and of what it holds."""
    for entry in browser.get_log("browser"):
        check(False, "%s: on the console: %s" % (where, entry["message"][:400]))
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent" and not message["params"]["documentURL"].startswith("chrome:"): # an empty tab's own
            url = message["params"]["request"]["url"]
            check(url.startswith(("data:", "blob:")) or url.startswith("file://" + scratch), "%s: a request to %s" % (where, url[:200]))


def js(code, *arguments):
    return browser.execute_script(code, *arguments)


def one(selector, inside=None):
    return (inside or browser).find_element(By.CSS_SELECTOR, selector)


def press(selector, inside=None):
    """A card that is drawn anew meanwhile has another element in the place of a selector's: found once more, as a hand would."""
    named = isinstance(selector, str)

    def pressed(_):
        element = one(selector, inside) if named else selector
        js("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        return True

    WebDriverWait(browser, LIMIT, ignored_exceptions=[StaleElementReferenceException] if named else []).until(pressed)


def button(text, inside):
    return next(b for b in inside.find_elements(By.TAG_NAME, "button") if b.text.strip() == text)


def drawn(card):
    """A card, scrolled to and drawn."""
    element = one("#" + card)
    js("arguments[0].scrollIntoView({block: 'start'})", element)
    WebDriverWait(browser, LIMIT).until(lambda _: js("return arguments[0].querySelector('.body').childElementCount > 0", element))
    return element


def until(holds, text):
    try:
        WebDriverWait(browser, LIMIT).until(lambda _: holds())
    except Exception as error:
        check(False, "%s: %s" % (text, type(error).__name__))


def view_of(data, part, name, run=0, layer=0):
    return next(v for p in data["parts"] if p["id"] == part for v in p["views"] if v["id"] == name and v.get("run", run) == run and v.get("layer", layer) == layer)


def saved(card, name):
    """The rows of the CSV file that a card's button saves."""
    path = os.path.join(scratch, name)
    if os.path.exists(path):
        os.remove(path)
    press(button("CSV", one("#" + card)))
    until(lambda: os.path.exists(path), "no file " + name)
    return list(csv.reader(open(path, newline="")))


def heat_maps(data):
    card, view = drawn("classes-class-expert"), view_of(data, "classes", "class-expert")
    last = view["frames"][-1]["values"]
    svg = one("svg[tabindex]", card)
    svg.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    row, column = 1, 1
    count, whole = last[row][column], sum(last[row])
    told = one("#mot-tip").text
    check("class trouser · expert 1" in told and "of %d in the row" % whole in told, "the tip of a cell: " + told)
    share = float(re.search(r"in the row\s+([0-9.e-]+) %", told).group(1))
    check(abs(share - 100 * count / whole) < 0.006 * max(1, share), "share in a row: %g, not %g" % (share, 100 * count / whole))
    check(js("return document.getElementById('mot-live').textContent").startswith("class trouser"), "the tip is not spoken")
    svg.send_keys(Keys.ESCAPE)
    check(not one("#mot-tip").is_displayed(), "Escape leaves the tip")
    # The three ways to count, told by the largest colour.
    rows, columns = [max(c / sum(r) for r in f["values"] for c in r) for f in view["frames"]], [max(r[x] / sum(q[x] for q in f["values"]) for r in f["values"] for x in range(len(r)) if r[x]) for f in view["frames"]]
    for mode, wanted in (("by rows", "%.3g %%" % (100 * max(rows))), ("by columns", "%.3g %%" % (100 * max(columns))), ("counts", "%d" % max(c for f in view["frames"] for r in f["values"] for c in r))):
        press(button(mode, card))
        ticks = [t.text for t in card.find_elements(By.CSS_SELECTOR, ".ramp text")]
        check(ticks[-1] == wanted and js("return document.querySelector('#classes-class-expert [aria-pressed=true]').textContent") == mode, "colours of %s end at %s, not %s" % (mode, ticks[-1], wanted))
    cells = lambda c="#classes-class-expert": js("return [...document.querySelectorAll(arguments[0] + ' .cells path')].map(p => p.getAttribute('d')).join()", c)
    before, other = cells(), cells("#classes-group-expert")
    one("input[type=range]", card).send_keys(Keys.ARROW_LEFT)
    step = view["frames"][-2]["step"]
    check(one("output", card).text == "step %d" % step and cells() != before, "the slider does not go to step %d" % step)
    check(one("#classes-group-expert output").text == "step %d" % step and cells("#classes-group-expert") != other, "the slider of one view does not move the other")
    press(button("by likeness", card))
    order = js("return [...document.querySelector('#classes-class-expert .axis').querySelectorAll('text')].map(t => t.textContent)")
    best = [last[view["y"]["names"].index(name)].index(max(last[view["y"]["names"].index(name)])) for name in order]
    together = [b for i, b in enumerate(best) if i == 0 or best[i - 1] != b]
    check(one("output", card).text == "step %d" % step and sorted(order) == sorted(view["y"]["names"]) and len(together) == len(set(best)), "by likeness the classes of an expert are not beside each other: %s, %s" % (order, best))
    press(".play", card)
    until(lambda: one("output", card).text == "step %d" % view["frames"][-1]["step"] and one(".play", card).text == "▶", "play does not end at the last step")


def other_run(data):
    """The selectors change what every part shows; a card's CSV says of what."""
    for run, layer in ((0, 0), (1, 1)):
        for name, index in (("run", run), ("layer", layer)):
            label = next(l for l in browser.find_elements(By.CSS_SELECTOR, "#mot-choose .picker") if l.text.startswith(name))
            Select(one("select", label)).select_by_index(index)
        drawn("classes-class-expert")
        view, rows = view_of(data, "classes", "class-expert", run, layer), saved("classes-class-expert", "class-expert.csv")
        wanted = [[str(f["step"]), c, e, str(f["values"][i][j])] for f in view["frames"] for i, c in enumerate(view["y"]["names"]) for j, e in enumerate(view["x"]["names"])]
        check(rows == [["step", "class", "expert", "count"]] + wanted, "the CSV of run %d, layer %d is not the data: %s" % (run, layer, rows[:2]))
        view, rows = view_of(data, "specialization", "ami", run, layer), saved("specialization-ami", "ami.csv")
        check(rows[0][:4] == ["step", "this run", "this run low", "this run high"] and [float(r[1]) for r in rows[1:]] == view["series"][0]["values"], "the CSV of lines is not the data")


def lines_and_numbers(data):
    card, view = drawn("confidence-reliability"), view_of(data, "confidence", "reliability", 1, 1)
    svg = one("svg[tabindex]", card)
    svg.send_keys(Keys.ARROW_RIGHT, *[Keys.ARROW_RIGHT] * 9)
    check("gate probability 0.45" in one("#mot-tip").text and ("%.4g" % view["series"][0]["values"][9]) in one("#mot-tip").text, "the tip of a line: " + one("#mot-tip").text)
    press(button("numbers", card))
    values = js("return [...document.querySelectorAll('#confidence-reliability .numbers tbody tr')].map(r => r.children[1].textContent)")
    check(values == ["–" if v is None else "%.4g" % v for v in view["series"][0]["values"]], "the table of numbers: %s" % values)
    press(button("accuracy", one(".numbers thead", card)))
    press(button("accuracy", one(".numbers thead", card)))
    values = [v for v in js("return [...document.querySelectorAll('#confidence-reliability .numbers tbody tr')].map(r => r.children[1].textContent)")]
    numbers = [float(v) for v in values if v != "–"]
    check(numbers == sorted(numbers, reverse=True) and values[-1] == "–", "a click on a head does not sort: %s" % values)
    card = drawn("specialization-ami")
    lines = lambda: js("return document.querySelectorAll('#specialization-ami .body .line').length")
    have = lines()
    press(button("told gate", one(".legend", card)))
    check(lines() == have - 1 and button("told gate", one(".legend", one("#specialization-ami"))).get_attribute("aria-pressed") == "false", "the legend does not hide a line")
    card = drawn("flow-changed")
    one("input[type=search]", card).send_keys("sandal")
    shown = js("return [...document.querySelectorAll('#flow-changed tbody tr')].map(r => r.children[1].textContent)")
    check(shown == ["sandal"] * sum("sandal" in r for r in view_of(data, "flow", "changed", 1, 1)["rows"]), "the search finds %d rows" % len(shown))


def flow(data):
    card, view = drawn("flow-flow"), view_of(data, "flow", "flow", 1, 1)
    selects = [Select(s) for s in card.find_elements(By.TAG_NAME, "select")]
    for a, b in ((0, 1), (1, 0), (1, 2)):
        selects[0].select_by_index(a)
        selects[1].select_by_index(b)
        counts = view["counts"]["%d-%d" % (min(a, b), max(a, b))]
        total, moved = sum(map(sum, counts)), sum(n for i, row in enumerate(counts) for j, n in enumerate(row) if i != j)
        said = one(".say", card).text
        check(said.startswith("{:,} of {:,} samples".format(moved, total)), "flow from %d to %d says: %s" % (a, b, said))
    selects[1].select_by_index(1)
    check("choose two different steps" in one(".say", card).text, "flow of a step to itself")


def shown_look():
    """Weights over the picture as they are drawn, the strongest 1."""
    return [round(float(w) / 0.8, 5) for w in js("return [...document.querySelectorAll('#mot-dialog .large rect')].map(r => r.getAttribute('fill-opacity'))")]


def mean_look(item, block=None, head=None):
    """The same from the data: of one block or head, or the mean of all."""
    maps = [m for b, heads in enumerate(item["attention"]["received"]) for i, m in enumerate(heads) if block in (None, b) and head in (None, i)]
    return strengths([sum(shares) / len(maps) for shares in zip(*maps)])


def strengths(shares):
    return [round(s / max(shares), 5) for s in shares]


def near(found, wanted):
    return len(found) == len(wanted) and all(abs(a - b) < 1e-4 for a, b in zip(found, wanted))


def choose(name, value):
    Select(one('[data-look="%s"] select' % name)).select_by_value(str(value))


def saved_look(name, rows, wanted):
    """The CSV of a sample that is open, and some of its rows."""
    press(button("CSV", one("#mot-dialog")))
    until(lambda: os.path.exists(name), "no file " + name)
    found = list(csv.reader(open(name, newline="")))
    check(found[0] == ["of", "sample", "block", "head", "token", "row", "column", "piece", "share"] and len(found) == 1 + rows, "%s has %d rows: %s" % (name, len(found), found[:2]))
    check([[*r[2:8], float(r[8])] for r in found[1:] if r[2:5] in [w[:3] for w in wanted]] == wanted, "%s: %s" % (name, found[-3:]))


def gallery(data):
    """A sample by a click or a key: over its picture, or in its text, where the expert looks, by block and head and rolled out."""
    view, texts = view_of(data, "confidence", "favourites", 1, 1), view_of(data, "confidence", "wrong-texts", 1, 1)
    first, second = view["items"][:2]
    card = drawn("confidence-favourites")
    one(".sample", card).send_keys(Keys.ENTER)
    check(one("#mot-dialog").is_displayed() and one("#mot-dialog .large svg").is_displayed(), "a sample does not open")
    check(near(shown_look(), mean_look(first)), "the mean of all blocks and heads: %s" % shown_look()[:3])
    choose("block", 2)
    check(near(shown_look(), mean_look(first, block=2)), "block 2: %s" % shown_look()[:3])
    choose("head", 1)
    check(near(shown_look(), mean_look(first, block=2, head=1)), "block 2, head 1: %s" % shown_look()[:3])
    check("block 2, head 1: the strongest has %.3g %%" % (100 * max(first["attention"]["received"][2][1])) in one(".look").text, "it is not said: " + one(".look").text)
    check(js("return document.activeElement.closest('[data-look]').dataset.look") == "head", "the focus has left the selector")
    saved_look("favourites-sample%d.csv" % first["sample"], 7 * 49, [["2", "1", "9", "1", "2", "", first["attention"]["received"][2][1][9]],
                                                                    ["rollout", "", "48", "6", "6", "", first["attention"]["rollout"][48]]])
    one("#mot-dialog .close").send_keys(Keys.ARROW_RIGHT)
    check("2 of 5" in one("#mot-dialog .walk").text and near(shown_look(), mean_look(second, block=2, head=1)), "the arrow key does not go on, or to another map")
    browser.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    check("1 of 5" in one("#mot-dialog .walk").text, "the arrow key does not go back: " + one("#mot-dialog .walk").text)
    press(button("rollout", one("#mot-dialog")))
    check(near(shown_look(), strengths(first["attention"]["rollout"])) and not browser.find_elements(By.CSS_SELECTOR, '[data-look="block"]'), "rollout")
    press(button("none", one("#mot-dialog")))
    check(not shown_look() and not browser.find_elements(By.CSS_SELECTOR, "#mot-dialog .look"), "the picture alone")
    press(button("attention", one("#mot-dialog")))
    alone = js("return getComputedStyle(document.querySelector('.page')).display")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    check(alone != "none" and js("return getComputedStyle(document.querySelector('.page')).display") == "none" and one("#mot-dialog .large").is_displayed(), "an open sample is not printed alone")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    one("#mot-dialog .close").send_keys(Keys.ESCAPE)
    check(not one("#mot-dialog").is_displayed(), "Escape does not close the sample")
    check(js("return document.activeElement.className") == "sample", "the focus is not back at the sample")
    press(".sample", drawn("confidence-wrong-texts"))
    item = texts["items"][0]
    marks = js("return [...document.querySelectorAll('#mot-dialog mark')].map(m => [m.textContent, parseInt(m.style.getPropertyValue('--strength')), m.title])")
    wanted = strengths(item["attention"]["received"][0][0][1:])
    check([m[0] for m in marks] == item["attention"]["pieces"] and all(abs(m[1] - 100 * w) <= 0.51 for m, w in zip(marks, wanted)), "the words of a text: %s" % marks[:3])
    check("The class token keeps %.3g %%" % (100 * item["attention"]["received"][0][0][0]) in one(".look").text, "the class token: " + one(".look").text)
    check(one("#mot-dialog blockquote").text == item["text"], "the words are not the text: " + one("#mot-dialog blockquote").text)
    press("#mot-dialog .close")


def names():
    """What a screen reader has to go by."""
    wrong = js("""const all = (s) => [...document.querySelectorAll(s)], ids = all('[id]').map(e => e.id);
        return [...all('svg[role=img]').filter(e => !e.getAttribute('aria-label')), ...all('button').filter(e => !e.textContent.trim() && !e.getAttribute('aria-label')),
                ...all('input').filter(e => !e.getAttribute('aria-label')), ...all('img').filter(e => !e.alt)].map(e => e.outerHTML.slice(0, 120)).concat(ids.filter((x, i) => ids.indexOf(x) !== i))""")
    check(not wrong, "without a name, or of one: %s" % wrong[:3])
    one("body").send_keys(Keys.TAB)
    seen = []
    for _ in range(12):
        seen.append(js("return [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        browser.switch_to.active_element.send_keys(Keys.TAB)
    check(seen == sorted(set(seen)), "the tab key goes from one to another as %s" % seen)


def everywhere():
    for y in range(0, js("return document.documentElement.scrollHeight"), 700):
        js("scrollTo(0, arguments[0])", y)
        js("return new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)))")
    js("scrollTo(0, 0)")


def zoomed(where):
    """1280 pixels at 400 %: what is wider than the screen scrolls in a box of its own, or the page would."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 320, "height": 256, "deviceScaleFactor": 4, "mobile": False})
    everywhere()
    wide = js("""const inBox = (e) => e.closest('.scroll, .table, svg, .unseen, .skip, .tip');
        return [document.documentElement.scrollWidth, ...[...document.querySelectorAll('main *, .topbar *')].filter(e => !inBox(e) && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))]""")
    check(wide[0] <= 320 and len(wide) == 1, "%s: wider than the screen at 400 %%: %s" % (where, wide[:4]))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def printed(where):
    js("dispatchEvent(new Event('beforeprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    state = js("""const wide = [...document.querySelectorAll('.drawing svg')].map(s => s.getBoundingClientRect()).filter(b => b.height > 950);
        return [document.querySelectorAll('details:not([open])').length, [...document.querySelectorAll('.body')].filter(b => !b.childElementCount).length, wide.length,
                getComputedStyle(document.body).backgroundColor, [...document.querySelectorAll('.drawing svg')].filter(s => s.viewBox.baseVal.width > 690).length]""")
    check(state == [0, 0, 0, "rgb(255, 255, 255)", 0], "%s: in print [closed, not drawn, higher than a page, paper, wider than it] are %s" % (where, state))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    js("dispatchEvent(new Event('afterprint'))")


def on_paper(data):
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})["data"])
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    check(pdf[:5] == b"%PDF-" and pages >= len(data["parts"]) // 2, "a PDF of %d pages" % pages)
    print("%d pages on paper" % pages)


# How colours look: linear light, as those see it who lack a kind of cone (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {"all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)), "protanopia": ((.152286, 1.052583, -.204868), (.114503, .786281, .099216), (-.003882, -.048116, 1.051998)),
        "deuteranopia": ((.367322, .860646, -.227968), (.280085, .672501, .047413), (-.011820, .042940, .968881)),
        "tritanopia": ((1.255528, -.076749, -.178779), (-.078411, .930809, .147602), (.004733, .691367, .303900))}


def lab(colour, eye):
    light = [v / 255 / 12.92 if v / 255 <= .04045 else ((v / 255 + .055) / 1.055) ** 2.4 for v in colour]
    r, g, b = (min(1, max(0, sum(m * c for m, c in zip(row, light)))) for row in eye)
    x, y, z = ((t ** (1 / 3) if t > .008856 else 7.787 * t + 16 / 116) for t in ((.4124 * r + .3576 * g + .1805 * b) / .95047, .2126 * r + .7152 * g + .0722 * b, (.0193 * r + .1192 * g + .9505 * b) / 1.08883))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def colours():
    """Any two categories are apart, and apart from what they lie on; the lightness of a ramp goes one way (differences: from the middle)."""
    part = lambda text: tuple(float(v) for v in re.findall(r"[\d.]+", text)[:3])
    for theme in ("light", "dark"):
        if one("#mot-theme").text == theme:
            press("#mot-theme")
        dark = sum(part(js("return getComputedStyle(document.body).backgroundColor"))) < 384
        check(dark == (theme == "dark") and one("#mot-theme").text != theme, "the button does not bring the %s page" % theme)
        seen = js("""const probe = document.createElement('i'); document.body.append(probe);
            const all = ['--c0', '--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7', '--card'].map(c => { probe.style.color = `var(${c})`; return getComputedStyle(probe).color; });
            probe.remove(); return all""")
        everywhere()
        ramps = {name: js("return [...document.querySelectorAll(arguments[0] + ' .ramp stop')].map(s => s.getAttribute('stop-color'))", "#" + card) for name, card in (("shares", "classes-class-expert"), ("differences", "knock-out-masked"))}
        for eye, matrix in EYES.items():
            labs = [lab(part(c), matrix) for c in seen]
            least = min(sum((a - b) ** 2 for a, b in zip(p, q)) ** .5 for p, q in itertools.combinations(labs, 2))
            check(least > 15, "%s, %s: two categories are %.1f apart" % (theme, eye, least))
            print("%s, %s: the nearest two categories are %.1f apart (CIE 1976)" % (theme, eye, least))
            way = 1 if theme == "dark" else -1
            steps = lambda ramp: [way * (b - a) for a, b in zip(ramp, ramp[1:])]
            shares, differences = ([lab(part(c), matrix)[0] for c in ramps[name]] for name in ("shares", "differences"))
            check(len(shares) == 17 and min(steps(shares)) > 1, "%s, %s: shares have the lightness %s" % (theme, eye, shares))
            check(min(steps(differences[8:])) > 1 and min(steps(differences[8::-1])) > 1, "%s, %s: differences have the lightness %s" % (theme, eye, differences))
            check(way * (shares[-1] - shares[0]) > 50, "%s, %s: shares span %g" % (theme, eye, shares[-1] - shares[0]))


def real():
    """What the program makes of a run: the page shows the numbers of its JSON."""
    rng = random.Random(7)
    with open("pictures.csv", "w") as file:
        for n in range(150):
            file.write("".join("%d," % (rng.randrange(120) + (130 if i % 3 == n % 3 else 0)) for i in range(64)) + "%d\n" % (n % 3))
    with open("small.yaml", "w") as file:
        file.write("""data: {file: pictures.h5}
model: {experts: 3, width: 16, heads: 2, depth: 1, ffn: 24, patch: 4}
route: {noise: none}
train: {batch: 24, until: 30 steps}
eval: {every: 10, batch: 25}
""")
    mot(1, "data", "import", "csv", "--out", "pictures.h5", "--train", "pictures.csv", "--shape", "8x8", "--test-fraction", "0.3")
    mot(1, "train", "--quiet", "small.yaml", "run=run")
    mot(1, "eval", "run", "route.all=record")
    mot(1, "report", "run", "-o", "real.html", "--json", "real.json")
    data = json.load(open("real.json"))
    browser.get("file://" + os.path.abspath("real.html"))
    zoomed("real")
    for part in data["parts"]:
        text = one("#" + part["id"]).text
        check(part["title"] in text and "cannot be drawn" not in text, "the part %s of a real page: %s" % (part["id"], text[:200]))
    part = data["parts"][0]
    view = part["views"][0]
    rows = saved("%s-%s" % (part["id"], view["id"]), view["csv"])
    check([float(r[3]) for r in rows[1:]] == [v for f in view["frames"] for row in f["values"] for v in row], "the CSV of a real page is not its JSON")
    press(".sample", drawn("samples-samples-liked"))
    item = view_of(data, "samples", "samples-liked")["items"][0]
    press(button("attention", one("#mot-dialog")))
    check(one("#mot-dialog .large svg").is_displayed() and len(shown_look()) == 4 and near(shown_look(), mean_look(item)), "a real sample's attention: %s" % shown_look())
    check(all(abs(sum(shares) - 1) < 4e-6 for shares in [*item["attention"]["received"][0], item["attention"]["rollout"]]), "it is not shared out in full")
    press("#mot-dialog .close")
    quiet("real")


template = open(PAGE).read()
os.chdir(scratch)
browser = start()
try:
    typical = report_sample.sample()
    opened("typical", typical)
    check([a.text.split("\n")[-1] for a in browser.find_elements(By.CSS_SELECTOR, ".contents li a")] == [p["title"] for p in typical["parts"]], "the contents are not the parts")
    check([w.text for w in browser.find_elements(By.CSS_SELECTOR, ".warnings li")] == [w.replace("`", "") for w in typical["warnings"]], "the warnings are not on top")
    summary = one("#load .counted summary")
    press(summary)
    check(typical["parts"][2]["denominator"] in one("#load .counted").text, "the denominator is not shown")
    heat_maps(typical)
    other_run(typical)
    lines_and_numbers(typical)
    flow(typical)
    gallery(typical)
    everywhere()
    names()
    colours()
    printed("typical")
    on_paper(typical)
    quiet("typical")
    zoomed("typical")

    odd = report_sample.odd()
    opened("odd", odd)
    everywhere()
    check(browser.title == odd["title"] and js("return document.querySelectorAll('main b, main script').length") == 0, "texts of the data became markup")
    rows = saved("odd-quotes", "quotes.csv")
    check(rows == [["a", "b, c"], ["says \"so\", twice", "1"], [odd["title"][4:], ""], ["line\nbreak", "-2.5e-7"]], "the CSV of a table: %s" % rows)
    check("not there: mot eval RUN" in one("#none").text, "what is missing is not told")
    js("const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s)")
    blocked = browser.get_log("browser")
    check(browser.title == odd["title"] and any("Content Security Policy" in e["message"] for e in blocked), "a script from outside runs")
    ticks = [t.text for t in drawn("odd-powers").find_elements(By.CSS_SELECTOR, ".grid text")]
    check(ticks == ["1e-12", "1e-9", "1e-6", "0.001", "1"], "powers of ten: %s" % ticks)
    zoomed("odd")
    quiet("odd")

    for name, data in (("one", report_sample.sample(experts=1, layers=1, runs=1, classes=3, frames=1)), ("long", report_sample.sample(experts=20, layers=1, runs=3, classes=12, frames=40, long=True))):
        opened(name, data)
        zoomed(name)
        quiet(name)

    real()
    large = report_sample.sample(experts=64, layers=3, runs=5, classes=100, frames=8)
    size = opened("large", large)
    drawn("classes-class-expert")
    times = js("const t = performance.getEntriesByType('navigation')[0]; return [t.domContentLoadedEventEnd, t.loadEventEnd, performance.now()]")
    print("64 experts, 3 layers, 5 runs, 100 classes: %.2f MB, ready after %.2f s, first figure seen after %.2f s" % (size / 1e6, times[0] / 1000, times[2] / 1000))
    printed("large")
    zoomed("large")
    quiet("large")
finally:
    browser.quit()
    shutil.rmtree(scratch, ignore_errors=True)
print("%d failed" % len(failures) if failures else "all well")
sys.exit(1 if failures else 0)

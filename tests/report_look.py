#!/usr/bin/env python3
"""Looks at the page of `lastgood report` in a real browser: five repositories, three widths, two themes.

    report_look.py LASTGOOD CHROMIUM AXE OUTPUT

Nothing may be asked of any network, no error be logged, no text be cut or lie over another, and axe-core may find no violation. Pictures go
into OUTPUT. ONLY='one odd' in the environment takes some of the repositories. The browser is driven over its own pipe, so this needs nothing but Python. What is shown is made up here: the repositories'
records are whole, and their archives are of one byte each, because a page reads none.
"""

import base64
import datetime as dt
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

WIDTHS = [360, 800, 1400]
THEMES = ["light", "dark"]
NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
# Overlaps and cut text, by the boxes of what holds text: what one may scroll to is not cut.
LOOK = """(() => {
  const wrong = [], root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
  const scrolls = element => element.closest('.scroll');
  const seen = element => { const s = getComputedStyle(element); return s.visibility !== 'hidden' && element.checkVisibility() && !element.closest('.unseen,.skip'); };
  const boxes = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (!seen(element)) continue;
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own) continue;
    const style = getComputedStyle(element);
    if (style.overflow !== 'visible' && style.display !== 'inline' && element.scrollWidth > element.clientWidth + 1 && !element.matches('.scroll'))
      wrong.push(`cut: ${element.tagName} ${element.textContent.slice(0, 60)}`);
    for (const node of element.childNodes) {
      if (node.nodeType !== 3 || !node.textContent.trim()) continue;
      const range = document.createRange(); range.selectNodeContents(node);
      for (const r of range.getClientRects()) {
        if (r.width < 1 || r.height < 1) continue;
        if (!scrolls(element) && (r.right > root.clientWidth + 1 || r.left < -1)) wrong.push(`outside: ${node.textContent.slice(0, 60)}`);
        boxes.push({ top: r.top, bottom: r.bottom, left: r.left, right: r.right, text: node.textContent.trim().slice(0, 40), scrolls: !!scrolls(element) });
      }
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length && boxes[j].top < boxes[i].bottom; j++) {
    const a = boxes[i], b = boxes[j];
    if (a.scrolls !== b.scrolls) continue;
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left), y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 2 && y > 4) wrong.push(`over each other: "${a.text}" and "${b.text}"`);
  }
  return wrong.slice(0, 10);
})()"""


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(name):
    return "".join(chr(b) if chr(b).isascii() and (chr(b).isalnum() or chr(b) in "_-") else f".{b:02X}" for b in name.encode())


def table(schema, name, rows):
    return {"schema": schema, "name": name, "rows": rows, "bytes": rows * 90, "sha256": "ab" * 32}


def put(path, value, at):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    os.utime(path, (at.timestamp(), at.timestamp()))


def backup(folder, database, at, age_days, verdict="intact", tables=None):
    stem = f"{encoded(database)}_backup_{at:%Y%m%d_%H%M%S}"
    rows = 1_204_511 - age_days * 2_100
    size = 3_000_000 - age_days * 4_100 + at.day * 2_000
    archive = folder / f"{stem}.sql.gz"
    put(archive, b"", at)
    os.truncate(archive, size)
    os.utime(archive, (at.timestamp(), at.timestamp()))
    digest = {"size": size, "md5": hashlib.md5(stem.encode()).hexdigest(), "crc64nvme": base64.b64encode(hashlib.md5(stem.encode()).digest()[:8]).decode()}
    tables = tables or [("public", "orders", rows // 2), ("public", "order_lines", rows // 3), ("public", "customers", rows // 12 ), ("audit", "events", rows // 12)]
    put(folder / f"{stem}.manifest.json", {
        "version": 1, "stem": stem, "purpose": "backup", "database": {"name": database, "encoding": "UTF8", "serverVersion": "17.6", "size": size * 9},
        "archive": {"key": archive.name, "versionId": None, "etag": None, **digest, "compression": "gzip", "frameSize": 1 << 20, "encryption": None, "pgDumpVersion": "17.6", "formatVersion": "1.16-0"},
        "census": [table(*one) for one in tables], "largeObjects": {"count": 0, "bytes": 0, "sha256": "00" * 32},
        "agent": {"version": "0.1.0", "host": "db1.example.com"}, "started": iso(at), "finished": iso(at), "duration": 12.5, "warnings": []}, at)
    if verdict:
        finding = [] if verdict == "intact" else [{"code": "digest", "text": "the MD5 of the stored bytes is not the manifest's"}]
        put(folder / f"{stem}.{verdict}.json", {
            "version": 1, "outcome": verdict, "content": "read", "findings": finding, "identity": {"key": archive.name, "versionId": None, "etag": None, "size": size, "crc64nvme": None},
            "digest": digest, "verifier": {"name": "agent", "version": "0.1.0", "host": "verify1.example.com"}, "verified": iso(at + dt.timedelta(minutes=4))}, at + dt.timedelta(minutes=4))
    return stem, size, rows


def drill(database, stem, at, seconds, passed=True):
    return {"version": 1, "database": database, "backup": stem, "made": iso(at), "md5": "ab" * 16, "started": iso(at), "finished": iso(at + dt.timedelta(seconds=seconds)),
            "passed": passed, "server": {"kind": "temporary", "version": "17.6"}, "parts": [{"name": "rows", "seconds": seconds * 0.5}, {"name": "indexes", "seconds": seconds * 0.2}],
            "compared": {"tables": 4, "rows": 1, "bytes": 9, "largeObjects": 0, "sequences": 1, "definitions": 9}, "differences": [] if passed else ["table public.orders has 601,001 rows, and 601,002 were dumped"],
            "differing": 0 if passed else 1, "uncompared": [], "checks": [], "agent": {"version": "0.1.0", "host": "db1.example.com"}}


def repository(folder, database, bad=(), newest="intact", nights=21, days=365, tables=None, skip=0):
    """A year of days, and the backups of the last nights."""
    last = NOW - dt.timedelta(hours=5)
    noted, stems = [], []
    for back in range(days, -1, -1):
        at = last - dt.timedelta(days=back)
        if skip <= back < nights + skip:
            verdict = newest if back == skip else "intact"
            stem, size, rows = backup(folder, database, at, back, verdict, tables)
            stems.append(stem)
        else:
            stem, size, rows = f"{encoded(database)}_backup_{at:%Y%m%d_%H%M%S}", 3_000_000 - back * 4_100 + at.day * 2_000, 1_204_511 - back * 2_100
        if back:
            noted.append({"day": f"{at:%Y-%m-%d}", "verdict": dict(bad).get(back, "good"), "backup": stem, "made": iso(at), "size": size, "rows": rows})
    drills = [drill(database, stems[0], last - dt.timedelta(days=30 * n + 1), 95 - 7 * n) for n in range(6)] if stems else []
    past = [{"finished": one["finished"], "backup": one["backup"], "passed": one["passed"], "seconds": 90} for one in drills[1:]]
    put(folder / "status" / "history" / f"{encoded(database)}.json", {"version": 1, "database": database, "days": noted[-400:], "drills": past}, NOW)
    if drills:
        put(folder / "status" / "drills" / f"{encoded(database)}.json", {"version": 1, "last": {k: v for k, v in drills[0].items() if k != "version"}, "lastPassed": drills[0]["finished"]}, NOW)


def scenes(root):
    one = root / "one"
    repository(one, "shop", bad={96: "late", 95: "late", 211: "damaged", 300: "warned"})
    forty = root / "forty"
    for n in range(40):
        repository(forty, f"tenant_{n:02}", nights=3, newest="damaged" if n == 7 else "intact", skip=3 if n == 23 else 0, bad={n * 3 + 1: "late"}, days=364)
    none = root / "none"
    none.mkdir()
    odd = root / "odd"
    names = [("<script>", "alert(1)</script>", 1000), ("public", "x\u202egpj.exe", 900), ("public", "long_" * 12, 800), ("öffentlich", "🐘 \"Kunden\" & Co", 700)]
    repository(odd, "Büro & \"Söhne\" <b>🐘</b> \u202egpj", nights=2, days=40, tables=names)
    damaged = root / "damaged"
    repository(damaged, "shop", newest="damaged", bad={1: "damaged", 2: "never"}, days=120)
    return [one, forty, none, odd, damaged]


class Browser:
    """Chromium over its own pipe: messages are JSON, each ended by a zero byte."""

    def __init__(self, program, profile):
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()

        def files():
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        # Higher numbers first: 3 and 4 may be any of these.
        high = [os.dup(one) for one in (to_read, to_write)]
        to_read, to_write = [os.dup2(one, 60 + at) for at, one in enumerate(high)]
        # It runs as whoever runs this, which may be root, and shows nothing but what was made here.
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen([program, *arguments], preexec_fn=files, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def message(self):
        while b"\0" not in self.buffer:
            more = os.read(self.back, 1 << 20)
            if not more:
                sys.exit("error: the browser ended")
            self.buffer += more
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"error: {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def run(self, expression, wait=False):
        answer = self.ask("Runtime.evaluate", expression=expression, awaitPromise=wait, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit(f"error: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message())


def look(browser, page, name, output, axe):
    wrong = []
    for width in WIDTHS:
        for theme in THEMES:
            where = f"{name}, {width} wide, {theme}"
            browser.events.clear()
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=width < 500)
            browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            browser.ask("Page.navigate", url=page.as_uri())
            browser.wait_for("Page.loadEventFired")
            browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
            wrong += [f"{where}: {text}" for text in browser.run(LOOK)]
            browser.run(axe)
            found = browser.run("axe.run({exclude: [['section.database:nth-of-type(n+5)']]}, {resultTypes: ['violations']}).then(r => r.violations.map(v => `${v.id}: ${v.help}: ` + v.nodes.slice(0, 3).map(n => n.html.slice(0, 120)).join(' | ')))", wait=True)
            wrong += [f"{where}: axe: {text}" for text in found]
            for event in browser.events:
                method, parameters = event.get("method"), event.get("params", {})
                if method == "Network.requestWillBeSent" and parameters["request"]["url"] != page.as_uri():
                    wrong.append(f"{where}: asks for {parameters['request']['url']}")
                if method == "Log.entryAdded" or method == "Runtime.exceptionThrown" or method == "Runtime.consoleAPICalled":
                    wrong.append(f"{where}: says {parameters}")
            browser.run("document.querySelectorAll('details').forEach(one => one.open = false)")
            height = min(int(browser.run("document.documentElement.scrollHeight")), 1600)
            clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            picture = browser.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
            (output / f"report-{name}-{width}-{theme}.png").write_bytes(base64.b64decode(picture))
    return wrong


def main():
    lastgood, chromium, axe, output = [pathlib.Path(argument).absolute() for argument in sys.argv[1:]]
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        (root / "profile").mkdir()
        browser = Browser(chromium, root / "profile")
        for domain in ["Page", "Network", "Log", "Runtime"]:
            browser.ask(f"{domain}.enable")
        wrong, script = [], axe.read_text()
        only = os.environ.get("ONLY", "").split()
        for folder in scenes(root):
            if only and folder.name not in only:
                continue
            page = output / f"{folder.name}.html"
            environment = {"PATH": os.environ["PATH"], "HOME": str(root), "BACKUP_DIR": str(folder), "MIN_BACKUP_SIZE": "1000"}
            began = dt.datetime.now()
            subprocess.run([lastgood, "report", "--all-databases", "--output", page], env=environment, cwd=root, check=True)
            print(f"{folder.name}: {page.stat().st_size // 1024} KiB in {(dt.datetime.now() - began).total_seconds():.2f} s", flush=True)
            wrong += look(browser, page, folder.name, output, script)
        browser.process.terminate()
        browser.process.wait(timeout=30)
    for text in wrong:
        print(f"error: {text}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

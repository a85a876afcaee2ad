"""Every sentence with which mot may fail stands in docs/errors.md, in the list of its folder, and none that it no longer
says. With --write the lists are written anew; what stands around them is left alone.
A sentence is the format of a mot_fail() in src/; what is filled in is shown as three dots."""
import glob
import os
import re
import sys

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
page = os.path.join(root, "docs", "errors.md")
STRING = r'"(?:[^"\\]|\\.)*"'
CALL = re.compile(r"mot_fail\(\s*\(?[\w>.\s\-()]+?,\s*((?:%s|\w*PRI\w+|\s)+)[,)]" % STRING)


def sentence(tokens):
    text = ""
    for token in re.findall(STRING + r"|\w*PRI\w+", tokens):
        text += token[1:-1] if token[0] == '"' else "d"
    text = re.sub(r"%(?!%)[-+ #0-9.*]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]", "...", text)
    return text.replace("%%", "%").replace('\\"', '"').replace("\\n", " ").replace("`", "'")


def said():
    folders = {}
    for path in sorted(glob.glob(os.path.join(root, "src", "*", "*.c"))):
        with open(path) as source:
            found = {sentence(tokens) for tokens in CALL.findall(source.read())}
        # Where all is filled in, the sentence is another one's, which stands here itself.
        folders.setdefault(os.path.basename(os.path.dirname(path)), set()).update(
            text for text in found if re.sub(r"[.:\s]|step|rank", "", text))
    return {folder: sorted(texts) for folder, texts in folders.items() if texts}


def lists(text):
    return {folder: (start, body) for folder, start, body in
            ((m.group(1), m.span(2), m.group(2)) for m in
             re.finditer(r"<!-- messages: (\w+) -->\n(.*?)<!-- end -->", text, re.S))}


def main():
    with open(page) as file:
        text = file.read()
    wanted, there = said(), lists(text)
    if "--write" in sys.argv:
        for folder, ((first, last), _) in sorted(there.items(), key=lambda item: -item[1][0][0]):
            text = text[:first] + "".join("- `%s`\n" % s for s in wanted.get(folder, [])) + text[last:]
        with open(page, "w") as file:
            file.write(text)
        there = lists(text)
    bad = 0
    for folder, sentences in wanted.items():
        body = there[folder][1].splitlines() if folder in there else []
        for missing in sorted(set("- `%s`" % s for s in sentences) - set(body)):
            print("FAILED: docs/errors.md lacks, in the list of %s: %s" % (folder, missing))
            bad += 1
        for stale in sorted(set(body) - set("- `%s`" % s for s in sentences)):
            print("FAILED: docs/errors.md has, in the list of %s, what no source says: %s" % (folder, stale))
            bad += 1
    if bad:
        sys.exit("%d failed; tests/run/errors_doc.py --write brings the lists up to date" % bad)
    print("%d sentences of %d folders" % (sum(map(len, wanted.values())), len(wanted)))


main()

"""seeds.py FOLDER: what the fuzzers begin with, a folder for each: small files that the parsers accept, and some that
they almost accept. Pieces stand as in fuzz.h: a byte of choices, then the files with BETWEEN between them."""
import base64, glob, gzip, io, lzma, os, struct, sys, zipfile, zlib

BETWEEN = b"\xff<>\xff"
root = sys.argv[1]
source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def seed(parser, name, choice, *pieces):
    folder = os.path.join(root, parser)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(bytes([choice]) + BETWEEN.join(pieces))


def idx(magic, shape, values):
    return struct.pack(">I%dI" % len(shape), magic, *shape) + bytes(values)


def npy(kind, shape, data, version=1):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n" % (kind, shape)).encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(head)) + head + data


def npz(method, **arrays):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        for name, array in arrays.items():
            archive.writestr(name + ".npy", array)
    return memory.getvalue()


pictures, labels = idx(0x803, (4, 2, 3), range(24)), idx(0x801, (4,), (0, 1, 2, 0))
seed("idx", "plain", 0, pictures, labels)
seed("idx", "two_splits", 0, pictures, labels, pictures, labels)
seed("idx", "packed", 0, gzip.compress(pictures, mtime=0), lzma.compress(labels))
seed("idx", "twice_packed", 0, gzip.compress(pictures[:9], mtime=0) + gzip.compress(pictures[9:], mtime=0), labels)
seed("idx", "names", 0x80, pictures, labels, b"a\nb\r\nc\n")
seed("idx", "names_on_a_line", 0x80, pictures, labels, b"a,b,c")

vectors, y = npy("<f4", "(3, 2)", struct.pack("<6f", 1, 2, 3, -4, 5, 6)), npy("<i4", "(3,)", struct.pack("<3i", 0, 1, 0))
bytes_u1, y8 = npy("|u1", "(2, 2, 2)", bytes(range(8))), npy("<i8", "(2,)", struct.pack("<2q", 0, 1))
texts = npy("<i4", "(2, 3)", struct.pack("<6i", 2, 3, 0, 4, 0, 0))
doubles = npy("<f8", "(2, 2, 2)", struct.pack("<8d", *range(8)), 2)
seed("npy", "vectors", 1, vectors, y)
seed("npy", "numbers", 3, vectors, npy("<f8", "(3, 2)", struct.pack("<6d", 1, 2.5, 3, -4, 5, 1e9)))
seed("npy", "two_splits", 1, vectors, y, vectors, y)
seed("npy", "pictures", 1, bytes_u1, y8)
seed("npy", "texts_with_groups", 2, texts, y8, y8)
seed("npy", "doubles", 1, doubles, y8)
half, names = npy(">f2", "(2L, 3L)", bytes(12), 3), npy("<U3", "(2,)", "cat".encode("utf-32-le") + "dog".encode("utf-32-le"))
seed("npy", "half_and_names", 1, half.replace(b"False", b"True"), names)
seed("npy", "padded_left", 1 + 8 + 16, npy("<u8", "(2, 3)", struct.pack("<6Q", 0, 3, 4, 0, 0, 5)), y8)
seed("npy", "colours_last", 1 + 4 + 0x40, npy("|b1", "(2, 2, 2, 1)", bytes([0, 1] * 4)), y8)
seed("npy", "one_hot", 1 + 12, npy("<f8", "(2, 2)", struct.pack("<4d", 1, 2, 3, 4)), npy("|i1", "(2, 2)", bytes([1, 0, 0, 1])))
for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
    seed("npy", "npz%d" % method, 0, npz(method, x=vectors, y=y))
    seed("npy", "npz_group%d" % method, 0, npz(method, x=bytes_u1, y=y8, group=y8))

record10, record100 = bytes([3]) + bytes(3072), bytes([7, 42]) + bytes(3072)
seed("cifar", "ten", 0, record10)
seed("cifar", "hundred", 0, record100)
seed("cifar", "hundred_said", 2, gzip.compress(record100 * 3, mtime=0), record100)
seed("cifar", "two_files", 5, record10, lzma.compress(record10 * 2))

seed("csv", "plain", 0, b"1,2,0\n3,4,1\n5,6,0\n")
seed("csv", "head", 8, b'"a";b;c\n 1.5;-2e3;"0"\r\n\r\n3;4;1\n5;6;1\n7;8;0\n')
seed("csv", "picture", 1 + 4, b"1,0,10,20,255\n0,1,2,3,4\n", b"0,9,9,9,9")
seed("csv", "decimal_commas", 2, b'\xef\xbb\xbfsep=;\n"a";"b";"kind"\n0,5;"1,25";cat\n-1,5e-3;2;dog\n', b"b;a;kind\n1;2;cat\n")
seed("csv", "targets", 76 + 1, b"a,g,b,c\n1,u,2,3.5\n-4,v,5,6\n1,u,3,4\n2,v,1,2\n")
seed("csv", "row_names", 16, b'"a" "b" "kind"\n"1" 1 2 "x ""y"""\n"2" 3 4 "z"\n')
seed("csv", "comments", 32 + 2, b"# a,b,kind\n1,2,0,\n3,4,1,\n,,\n", b"b,a,kind\n1,2,0\n")
seed("csv", "groups", 64 + 8, b"1\tu\t0\n2\tv\t1\n3\tu\t0\n4\tv\t1\n5\tu\t0\n6\tv\t1\n")
seed("csv", "names", 0x80, b"1,0\n2,1\n", b"yes\nno\n")

seed("text", "groups", 0x20, b"a\tg\tThe cat sat\nb\th\tthe dog, the dog\n", b"b\tg\tcat\n")
seed("text", "bytes", 7, "x\tgr\u00fcn\ny\t\u4e2d\u6587\r\n\ny\t\n".encode())
seed("text", "table", 0x40, b'text,label\n"Good, ""one""\nand all",pos\nbad,neg\nfine,pos\n')
seed("text", "two_columns", 0, b"a\tone two two\nb\tthree\n", b"a\tone\n", b"b\tfour five six seven\n")

def png(bits, colour, width, height, row, *chunks):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return (b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*c) for c in chunks) +
            chunk(b"IDAT", zlib.compress((b"\0" + row) * height)) + chunk(b"IEND", b""))
seed("picture", "grey", 0x12, png(8, 0, 3, 2, b"abc"))
seed("picture", "wide", 1, png(16, 2, 1, 2, bytes(range(6))))
seed("picture", "palette", 0x80, png(2, 3, 4, 2, b"\x1b", (b"PLTE", bytes(range(12))), (b"tRNS", b"\0\x80")))
seed("picture", "glass", 0x87, png(8, 6, 2, 2, bytes(range(8))))
seed("picture", "jpeg", 7, base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAABAAEBAREA"
    "/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQAAPwA//9k="))

for path in glob.glob(os.path.join(source, "configs", "*.yaml")):
    with open(path, "rb") as file:
        seed("config", os.path.basename(path), 0, file.read())
small = b"data: {source: mixture}\nmodel: {width: 8, heads: 2, ffn: 12}\n"
seed("config", "arguments", 0, small, b"model.experts=3", b"train.rate=1e-3", b"route.placement=[[0,1],[2]]")
seed("config", "stages", 0, b"data.file: x.h5\nrun: a b\nstages:\n  - {name: one, until: 7 steps or loss < 0.5,\n"
     b"     freeze: [gate, head]}\n  - {name: two, gate_rate: same, rate: 0.1}\n", b"stages.1.rate=0.2")
seed("config", "quoted", 0, b"run: \"a\\tb\"\ndata: {file: 'it''s', memory: 256 MiB}\n# end\n")
seed("config", "refused", 0, b"a: &x 1\nb: *x\n")

seed("json", "log", 0, b'{"step": 12, "loss": 0.5, "text": "a \\"step\\": 3", "list": [1, {"step": 4}]}\n')
seed("json", "bench", 0, b'{"format": "mot-bench", "format_version": 1, "mot_version": "0.1.0", "config": '
     b'"model:\\n  width: 8\\n# sample: 6 tokens\\n", "ranks": 2, "repeats": 3, "samples_per_s": [1, 2.5, 3e2], '
     b'"step_s": [null], "phase.load_s": [1,2]}\n')

# Of HDF5 files: changes to a good one (h5.h). None, and one of each kind.
for parser in ("dataset", "checkpoint", "inspect"):
    for choice in range(4 if parser == "dataset" else 3):
        seed(parser, "good%d" % choice, choice, b"")
    for change in range(6):
        seed(parser, "change%d" % change, 0x20, bytes([change, 2, 3, 5, 1, 4, 4, 0]) + bytes(range(32)))
    seed(parser, "bytes", 0x80, b"\x89HDF\r\n\x1a\n" + bytes(64) + b"mot-mark" + bytes(24))
seed("record", "log", 3, b'{"step": 1}\n{"step": 2}\n{"step": 9, "x": [1]}\n{"st', b"00000001-00000002.h5",
     b"00000003-00000009.h5", b"00000001-00000002.h5.tmp.12")
seed("record", "across", 5, b"", b"00000001-00000009.h5")
seed("record", "strange", 0, b"\n\n[]\n", b"99999999999999999999-00000001.h5", b"x.tmp.")

"""Decodes DICOM files with Debian's decoders and compares the samples, for the transcoding run.

Usage: oracle.py list CORPUS SCRATCH   one JSON line for each file with pixel data that can be stored;
                                       files without identifiers are completed in SCRATCH
       oracle.py compare SCRATCH       jobs on standard input, one JSON line each, answers likewise:

  job     {original, candidates: {transfer syntax: path}}
  answer  {original, reference, results: {transfer syntax: {ok, by, worst, mean, why}}}

No decoder of the service has a part in this: GDCM, DCMTK, OpenJPEG and pydicom read both sides.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

try:
    import numpy
    import pydicom
    from pydicom.encaps import generate_pixel_data_frame
    from pydicom.pixel_data_handlers.rle_handler import _parse_rle_header, _rle_decode_segment
    from pydicom.uid import UID_dictionary
except ImportError as error:
    sys.exit(f"pydicom or numpy is not installed: {error}")

warnings.simplefilter("ignore")

ROOT = "1.2.840.10008.1."
NATIVE = {"2", "2.1", "2.1.98", "2.1.99", "2.2"}
PIXELS = ["PixelData", "FloatPixelData", "DoubleFloatPixelData"]
UIDS = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
# pydicom writes no file in a syntax that it does not know.
for unknown in ("2.4.201", "2.4.202", "2.4.203", "2.8.1"):
    UID_dictionary.setdefault(ROOT + unknown, (unknown, "Transfer Syntax", "", "", unknown))
RPCL = 2
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# Which decoders read which syntax, the one that is asked first in front.
GDCM, JPEG, JPEGLS, RLE, OPENJPEG = "gdcmconv", "dcmdjpeg", "dcmdjpls", "dcmdrle", "opj_decompress"
PYDICOM, ZLIB = "pydicom", "zlib"
DECODERS = {
    "2.5": [RLE, GDCM, PYDICOM],
    "2.8.1": [ZLIB],
    "2.4.50": [JPEG, GDCM],
    "2.4.51": [JPEG, GDCM],
    "2.4.57": [JPEG, GDCM],
    "2.4.70": [JPEG, GDCM],
    "2.4.80": [JPEGLS, GDCM],
    "2.4.81": [JPEGLS, GDCM],
    "2.4.90": [OPENJPEG, GDCM],
    "2.4.91": [OPENJPEG, GDCM],
    "2.4.201": [OPENJPEG],
    "2.4.202": [OPENJPEG],
    "2.4.203": [OPENJPEG],
}

# What two decoders may make of one codestream: (any sample, on average). The cosine transform and the
# irreversible wavelet are defined up to rounding.
ROUNDING = {"2.4.50": (1, 0.05), "2.4.51": (1, 0.05), "2.4.91": (1, 0.01), "2.4.203": (1, 0.01)}
# RGB out of YBR_FULL by two formulas that round.
CONVERTED = (2, 0.5)
# What JPEG Baseline may lose, of 255. Single samples lose much at the edges of test patterns, where
# chroma is halved.
BASELINE = (128, 3.0)
EXACT = (0, 0.0)
MOST_FRAMES_OF_OPENJPEG = 3


class Unreadable(Exception):
    """A decoder that cannot read a file."""


class Picture:
    """Samples as numbers, [frame, row, column, sample], and what they are."""

    def __init__(self, samples, interpretation, by, frames=None):
        self.samples = samples
        self.interpretation = interpretation
        self.by = by
        # Those of the file that were decoded, None for all.
        self.frames = frames

    def rgb(self):
        """The same as RGB, and whether that took a conversion."""
        if self.interpretation not in ("YBR_FULL", "YBR_FULL_422"):
            return self.samples, False
        y, cb, cr = (self.samples[..., i].astype(numpy.float64) for i in range(3))
        cb, cr = cb - 128, cr - 128
        planes = [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb]
        whole = numpy.clip(numpy.rint(numpy.stack(planes, axis=-1)), 0, 255)
        return whole.astype(numpy.int64), True


def syntax_of(dataset):
    uid = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    return uid[len(ROOT):] if uid.startswith(ROOT) else uid


def number(dataset, keyword, fallback):
    value = dataset.get(keyword)
    return fallback if value in (None, "") else int(value)


def shape_of(dataset):
    return (
        number(dataset, "NumberOfFrames", 1) or 1,
        number(dataset, "Rows", 0),
        number(dataset, "Columns", 0),
        number(dataset, "SamplesPerPixel", 1),
    )


def native_samples(dataset, data):
    """Numbers out of native pixel data, by the attributes next to them (PS3.5 §8)."""
    frames, rows, columns, samples = shape = shape_of(dataset)
    count = frames * rows * columns * samples
    order = ">" if syntax_of(dataset) == "2.2" else "<"
    if "PixelData" not in dataset:
        kind = "f4" if "FloatPixelData" in dataset else "f8"
        # pydicom leaves the bytes as they were stored.
        return cut(numpy.frombuffer(data, order + kind), count).reshape(shape)
    allocated = number(dataset, "BitsAllocated", 8)
    stored = number(dataset, "BitsStored", allocated)
    high = number(dataset, "HighBit", stored - 1)
    if allocated == 1:
        raw = numpy.frombuffer(data, "u1")
        if order == ">" and dataset["PixelData"].VR == "OW":
            raw = raw[: len(raw) // 2 * 2].view(">u2").astype("<u2").view("u1")
        return cut(numpy.unpackbits(raw, bitorder="little"), count).reshape(shape).astype("i8")
    raw = numpy.frombuffer(data, "u1")
    if order == ">" and allocated == 8 and dataset["PixelData"].VR == "OW":
        raw = raw[: len(raw) // 2 * 2].view(">u2").astype("<u2").view("u1")
    if allocated > 8:
        width = allocated // 8
        raw = raw[: len(raw) // width * width].view(f"{order}u{width}")
    subsampled = dataset.get("PhotometricInterpretation") == "YBR_FULL_422" and len(raw) < count
    if subsampled:
        pairs = cut(raw, count // 3 * 2).reshape(-1, 4)
        raw = pairs[:, [0, 2, 3, 1, 2, 3]].reshape(-1)
    words = cut(raw, count).astype("u8") >> max(0, high - stored + 1)
    values = (words & ((1 << stored) - 1)).astype("i8")
    if number(dataset, "PixelRepresentation", 0) == 1:
        values = numpy.where(values >> (stored - 1) != 0, values - (1 << stored), values)
    planar = number(dataset, "PlanarConfiguration", 0) == 1 and samples > 1 and not subsampled
    if planar:
        return values.reshape(frames, samples, rows, columns).transpose(0, 2, 3, 1)
    return values.reshape(shape)


def cut(values, count):
    if len(values) < count:
        raise Unreadable(f"{len(values)} samples where {count} are expected")
    return values[:count]


def run(*command):
    try:
        done = subprocess.run(command, capture_output=True, timeout=120)
    except FileNotFoundError:
        raise Unreadable(f"{command[0]} is not installed")
    except subprocess.TimeoutExpired:
        raise Unreadable(f"{command[0]} takes longer than two minutes")
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise Unreadable(f"{command[0]}: {said[-1] if said else done.returncode}")


def read_native(dataset, by):
    keyword = next(one for one in PIXELS if one in dataset)
    samples = native_samples(dataset, dataset[keyword].value)
    interpretation = str(dataset.get("PhotometricInterpretation", ""))
    return Picture(samples, interpretation, by)


def read_by_rewriting(path, decoder, scratch):
    """With a tool that writes a native file."""
    handle, out = tempfile.mkstemp(dir=scratch, suffix=".dcm")
    os.close(handle)
    try:
        run(decoder, *(["--raw"] if decoder == GDCM else []), path, out)
        dataset = pydicom.dcmread(out, force=True)
        if syntax_of(dataset) not in NATIVE:
            raise Unreadable(f"{decoder} leaves {syntax_of(dataset)}")
        return read_native(dataset, decoder)
    finally:
        os.remove(out)


def read_in_python(dataset, decoder):
    """Frames of bytes: pydicom's unpacking of RLE segments, or inflation."""
    frames, rows, columns, samples = shape_of(dataset)
    allocated = number(dataset, "BitsAllocated", 8)
    size = (rows * columns * allocated + 7) // 8
    decoded = []
    for payload in generate_pixel_data_frame(dataset.PixelData, frames):
        if decoder == ZLIB:
            data = zlib.decompressobj(-15).decompress(payload)
            data = data[: (rows * columns * samples * allocated + 7) // 8]
        elif samples == 1 and allocated <= 8:
            start = _parse_rle_header(payload[:64])[0]
            data = bytes(_rle_decode_segment(payload[start:]))[:size]
        else:
            raise Unreadable(f"{decoder} is asked for single planes only")
        raw = numpy.frombuffer(data, "u1")
        decoded.append(numpy.unpackbits(raw, bitorder="little") if allocated == 1 else raw)
    if allocated not in (1, 8):
        raise Unreadable(f"{decoder} is asked for 1 and 8 bits only")
    count = rows * columns * samples
    stack = numpy.stack([cut(one, count).reshape(rows, columns, samples) for one in decoded])
    if len(stack) != frames:
        raise Unreadable(f"{len(stack)} frames where {frames} are expected")
    return Picture(stack.astype("i8"), str(dataset.get("PhotometricInterpretation", "")), decoder)


def read_codestreams(dataset, scratch):
    """With OpenJPEG's own tool, a few frames of many."""
    frames, rows, columns, samples = shape_of(dataset)
    payloads = list(generate_pixel_data_frame(dataset.PixelData, frames))
    if len(payloads) != frames:
        raise Unreadable(f"{len(payloads)} frames where {frames} are expected")
    chosen = sorted({0, frames // 2, frames - 1}) if frames > MOST_FRAMES_OF_OPENJPEG else range(frames)
    decoded = [read_codestream(payloads[n], (rows, columns, samples), scratch) for n in chosen]
    named = str(dataset.get("PhotometricInterpretation", ""))
    transformed = samples == 3 and (named.startswith("YBR_") and named[4:] in ("RCT", "ICT"))
    picture = Picture(
        numpy.stack(decoded),
        "RGB" if transformed or (samples == 3 and uses_transform(payloads[0])) else named,
        OPENJPEG,
        None if len(chosen) == frames else list(chosen),
    )
    stored = number(dataset, "BitsStored", 16)
    if number(dataset, "PixelRepresentation", 0) == 1:
        # A codestream that calls itself unsigned holds the bits of a signed sample all the same.
        wrapped = picture.samples & ((1 << stored) - 1)
        picture.samples = numpy.where(wrapped >> (stored - 1) != 0, wrapped - (1 << stored), wrapped)
    elif picture.samples.min() >= 0:
        picture.samples = picture.samples & ((1 << max(stored, 1)) - 1)
    return picture


def read_codestream(payload, shape, scratch):
    rows, columns, samples = shape
    start = payload.find(b"\xff\x4f\xff\x51")
    if start < 0:
        raise Unreadable("no JPEG 2000 codestream")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        source, out = os.path.join(folder, "in.j2k"), os.path.join(folder, "out.rawl")
        with open(source, "wb") as file:
            file.write(payload[start:])
        run(OPENJPEG, "-quiet", "-i", source, "-o", out)
        depth = payload[start + 42]
        kind = ("i" if depth & 0x80 else "u") + ("1" if (depth & 0x7F) < 8 else "2")
        values = numpy.fromfile(out, "<" + kind).astype("i8")
    return cut(values, rows * columns * samples).reshape(samples, rows, columns).transpose(1, 2, 0)


def uses_transform(payload):
    """Whether the coding style names a multiple component transformation."""
    at = payload.find(b"\xff\x52")
    return at >= 0 and payload[at + 8] == 1


def readings(path, scratch):
    """What each decoder makes of a file, one after the other, as they are asked for."""
    dataset = pydicom.dcmread(path, force=True)
    syntax = syntax_of(dataset)
    if syntax in NATIVE:
        try:
            yield read_native(dataset, "pydicom")
        except Exception as error:
            yield Unreadable(f"pydicom: {error}")
        return
    for decoder in DECODERS.get(syntax, [GDCM]):
        try:
            if decoder == OPENJPEG:
                yield read_codestreams(dataset, scratch)
            elif decoder in (PYDICOM, ZLIB):
                yield read_in_python(dataset, decoder)
            else:
                yield read_by_rewriting(path, decoder, scratch)
        except Exception as error:
            yield error if isinstance(error, Unreadable) else Unreadable(f"{decoder}: {error}")


class Readings:
    """The readings of a file, each made once."""

    def __init__(self, path, scratch):
        self.source = readings(path, scratch)
        self.made = []

    def __iter__(self):
        at = 0
        while True:
            if at == len(self.made):
                following = next(self.source, None)
                if following is None:
                    return
                self.made.append(following)
            yield self.made[at]
            at += 1


def distance(one, other):
    """Worst and mean difference, and whether colour had to be converted for it."""
    a, b, converted = one.samples, other.samples, False
    if a.ndim == 4 and a.shape[-1] == 3 and one.interpretation != other.interpretation:
        (a, first), (b, second) = one.rgb(), other.rgb()
        converted = first != second
    if one.frames is not None and other.frames is None:
        b = b[one.frames]
    if other.frames is not None and one.frames is None:
        a = a[other.frames]
    if a.shape != b.shape:
        raise Unreadable(f"shapes {a.shape} and {b.shape} differ")
    if a.dtype.kind == "f":
        return (0, 0.0, converted) if a.tobytes() == b.tobytes() else (1, 1.0, converted)
    difference = numpy.abs(a - b)
    return int(difference.max()), float(difference.mean()), converted


def compare(originals, candidates, tolerance_of):
    """The first pair of readings that are alike, or the nearest."""
    nearest, unread = None, []
    for candidate in candidates:
        if isinstance(candidate, Unreadable):
            unread.append(f"result: {candidate}")
            continue
        for original in originals:
            if isinstance(original, Unreadable):
                unread.append(f"original: {original}")
                continue
            by = f"{original.by}/{candidate.by}"
            try:
                worst, mean, converted = distance(original, candidate)
            except Unreadable as error:
                unread.append(f"{by}: {error}")
                continue
            most, most_mean = tolerance_of(original, converted)
            told = {"by": by, "worst": worst, "mean": round(mean, 4)}
            if worst <= most and mean <= most_mean:
                return {"ok": True, **told}
            if nearest is None or mean < nearest["mean"]:
                nearest = {"ok": False, **told, "why": f"differs by {worst}, {mean:.4f} on average"}
    return nearest or {"ok": False, "by": "", "why": "; ".join(dict.fromkeys(unread))[:300]}


def check(job, scratch):
    originals = Readings(job["original"], scratch)
    source = syntax_of(pydicom.dcmread(job["original"], force=True, stop_before_pixels=True))
    candidates = {target: Readings(path, scratch) for target, path in job["candidates"].items()}
    explicit = candidates.get(ROOT + "2.1")

    def tolerance(target):
        def of(original, converted):
            most = ROUNDING.get(source, EXACT)
            if converted:
                most = tuple(map(max, most, CONVERTED))
            if target == ROOT + "2.4.50":
                most = tuple(map(max, most, BASELINE))
            return most

        return of

    results = {}
    for target, candidate in candidates.items():
        result = compare(originals, candidate, tolerance(target))
        # Lossless targets of a lossy source hold the very samples of the native one.
        if result["ok"] and target != ROOT + "2.4.50" and explicit not in (None, candidate):
            same = compare(explicit, candidate, lambda _, converted: CONVERTED if converted else EXACT)
            result = result if same["ok"] else {**same, "why": "not as 1.2.1: " + same["why"]}
        results[target] = result
    reference = next((one.by for one in originals if isinstance(one, Picture)), None)
    return {"original": job["original"], "reference": reference, "results": results}


def compare_all(scratch):
    lock = threading.Lock()

    def answer(line):
        job = json.loads(line)
        try:
            told = check(job, scratch)
        except Exception as error:
            why = {"ok": False, "by": "", "why": f"{type(error).__name__}: {error}"}
            told = {"original": job["original"], "reference": None,
                    "results": {target: why for target in job["candidates"]}}
        with lock:
            print(json.dumps(told), flush=True)

    with ThreadPoolExecutor(2) as pool:
        for line in iter(sys.stdin.readline, ""):
            pool.submit(answer, line)


def completed(dataset, name, scratch):
    """A copy of a file that lacks identifiers, with some made of its name."""
    digest = hashlib.sha256(name.encode())
    for index, keyword in enumerate(UIDS):
        if dataset.get(keyword) in (None, ""):
            made = f"2.25.{int(digest.hexdigest()[:24], 16)}{index}"
            setattr(dataset, keyword, SECONDARY_CAPTURE if keyword == "SOPClassUID" else made)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    path = os.path.join(scratch, digest.hexdigest()[:16] + ".dcm")
    pydicom.dcmwrite(path, dataset, write_like_original=False)
    return path


def as_rpcl(dataset, name, scratch):
    """A copy under the transfer syntax of HTJ2K by resolution (RPCL), when its codestream is that."""
    if syntax_of(dataset) != "2.4.201":
        return None
    payload = next(generate_pixel_data_frame(dataset.PixelData, number(dataset, "NumberOfFrames", 1)))
    coding = payload.find(b"\xff\x52")
    if coding < 0 or payload[coding + 5] != RPCL:
        return None
    dataset.file_meta.TransferSyntaxUID = ROOT + "2.4.202"
    dataset.SOPInstanceUID = None
    return completed(dataset, name + " (as .202)", scratch)


def entry_of(dataset, file, path):
    return {
        "file": file,
        "path": path,
        "syntax": str(dataset.file_meta.TransferSyntaxUID),
        "pixels": next(one for one in PIXELS if one in dataset),
        "address": {
            "study": str(dataset.StudyInstanceUID),
            "series": str(dataset.SeriesInstanceUID),
            "instance": str(dataset.SOPInstanceUID),
        },
        "rows": number(dataset, "Rows", 0),
        "columns": number(dataset, "Columns", 0),
        "samples": number(dataset, "SamplesPerPixel", 1),
        "bitsAllocated": number(dataset, "BitsAllocated", 0),
        "bitsStored": number(dataset, "BitsStored", 0),
        "signed": number(dataset, "PixelRepresentation", 0) == 1,
        "interpretation": str(dataset.get("PhotometricInterpretation", "")),
    }


def list_files(corpus, scratch):
    for folder, _, names in os.walk(corpus):
        for name in sorted(names):
            path = os.path.join(folder, name)
            file = os.path.relpath(path, corpus).replace(os.sep, "/")
            try:
                dataset = pydicom.dcmread(path)
                has_pixels = any(one in dataset for one in PIXELS)
                if not has_pixels or not syntax_of(dataset) or not all(shape_of(dataset)):
                    continue
                if any(dataset.get(uid) in (None, "") for uid in UIDS):
                    path = completed(dataset, file, scratch)
                print(json.dumps(entry_of(dataset, file, path)), flush=True)
                copy = as_rpcl(dataset, file, scratch)
                if copy is not None:
                    print(json.dumps(entry_of(dataset, file + " (as .202)", copy)), flush=True)
            except Exception as error:
                print(f"{file}: {error}", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["list"] and len(sys.argv) == 4:
        list_files(sys.argv[2], sys.argv[3])
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) == 3:
        compare_all(sys.argv[2])
    else:
        sys.exit(__doc__)

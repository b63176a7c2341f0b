"""Reads DICOM files with pydicom and says what a DICOMweb service should make of them.

Usage: oracle.py DIRECTORY, relative file names on standard input; one JSON line per file comes out:

  file      the name as given
  refusal   why the file cannot be stored, in words; null when it can
  uids      study, series and instance UID, when all three are there
  dataSet   the DICOM JSON model, with three additions: {"Bytes": {length, sha256}} for a binary
            value (little endian), {"Encapsulated": true} for compressed pixel data,
            {"Unreadable": why} where pydicom gives up on a value

Private attributes of implicit VR files stay UN: a service has no private dictionary.
"""

import hashlib
import json
import math
import os
import re
import sys
import warnings

try:
    import pydicom
    from pydicom.datadict import private_dictionaries
    from pydicom.filewriter import correct_ambiguous_vr
except ImportError as error:
    sys.exit(f"pydicom is not installed: {error}")

private_dictionaries.clear()

UID = re.compile(r"^[0-9.]{0,63}[0-9]$")
REQUIRED = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
UNIT = {"OB": 1, "UN": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
UNDEFINED = 0xFFFFFFFF
DEFLATED = "1.2.840.10008.1.2.1.99"
AMBIGUOUS = re.compile(r"^(O[BW]|US|SS)( or (O[BW]|US|SS))+$")


def refusal(path, dataset, last):
    """Why a service has to refuse the file, or None."""
    if not dataset.file_meta.get("TransferSyntaxUID"):
        return "no Transfer Syntax UID in the file meta information"
    cut = truncation(path, last)
    if cut:
        return cut
    missing = [keyword for keyword in REQUIRED if not text_of(dataset, keyword)]
    if missing:
        return "missing " + ", ".join(missing)
    invalid = [keyword for keyword in REQUIRED if not UID.match(text_of(dataset, keyword))]
    if invalid:
        return "invalid " + ", ".join(invalid)
    return None


def last_element(dataset):
    """Tag of the last element that pydicom has read, and where its value ends; None if unknown."""
    if dataset.file_meta.get("TransferSyntaxUID") in (None, DEFLATED) or not dataset.keys():
        return None
    element = dataset.get_item(max(dataset.keys()))
    start, length = getattr(element, "value_tell", None), getattr(element, "length", None)
    if start is None or length is None or length == UNDEFINED:
        return None
    return element.tag, start + length


def truncation(path, last):
    """Whether the file ends before its last element does: pydicom itself reads on in silence."""
    if last is None:
        return None
    tag, end = last
    size = os.path.getsize(path)
    if end > size:
        return f"truncated: {tag} ends at {end}, the file at {size}"
    # What pydicom could not finish, it leaves out: much is left over after the last element.
    if end + 512 < size and not only_delimiter_missing(path, end):
        return f"truncated: the element after {tag} does not end"
    return None


def only_delimiter_missing(path, offset):
    """Whether compressed pixel data start at the offset (explicit VR) and every fragment is whole."""
    with open(path, "rb") as file:
        data = file.read()
    if data[offset : offset + 4] != b"\xe0\x7f\x10\x00" or data[offset + 8 : offset + 12] != b"\xff" * 4:
        return False
    offset += 12
    while data[offset : offset + 4] == b"\xfe\xff\x00\xe0":
        offset += 8 + int.from_bytes(data[offset + 4 : offset + 8], "little")
    return offset == len(data)


def text_of(dataset, keyword):
    value = dataset.get(keyword)
    return str(value).rstrip(" \0") if value else ""


def to_json(dataset, little_endian):
    try:
        correct_ambiguous_vr(dataset, little_endian)
    except Exception:  # an ambiguous VR then stays ambiguous, and is reported so below
        pass
    result = {}
    for tag in sorted(dataset.keys()):
        if tag.element == 0:
            continue  # group lengths are not part of the DICOM JSON model
        key = f"{tag.group:04X}{tag.element:04X}"
        try:
            result[key] = element_to_json(dataset[tag], little_endian)
        except Exception as error:
            raw = dataset.get_item(tag)
            why = f"{type(error).__name__}: {error}"[:120]
            result[key] = {"vr": name_of(raw.VR or "UN"), "Unreadable": why}
    return result


def element_to_json(element, little_endian):
    vr = name_of(element.VR)
    if AMBIGUOUS.match(vr):
        return {"vr": vr, "Unreadable": "ambiguous VR"}
    if vr == "SQ":
        return {"vr": vr, "Value": [to_json(item, little_endian) for item in element.value or []]}
    if vr in UNIT:
        if element.tag == 0x7FE00010 and getattr(element, "is_undefined_length", False):
            return {"vr": vr, "Encapsulated": True}
        if not isinstance(element.value, bytes):
            return {"vr": vr} if not element.value else {"vr": vr, "Unreadable": "several values"}
        value = element.value if little_endian else swap(element.value, UNIT[vr])
        return {"vr": vr, "Bytes": {"length": len(value), "sha256": hashlib.sha256(value).hexdigest()}}
    result = element.to_json_dict(None, 1 << 40)
    if "Value" in result:
        result["Value"] = [spell(value) for value in result["Value"]]
    return result


def name_of(vr):
    """A VR as plain text; some are members of an enumeration."""
    return getattr(vr, "value", vr)


def spell(value):
    """NaN and infinities as strings: JSON has no such numbers."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def swap(value, unit):
    if unit == 1:
        return value
    whole = len(value) // unit * unit
    return b"".join(value[i : i + unit][::-1] for i in range(0, whole, unit)) + value[whole:]


def examine(root, name):
    path = os.path.join(root, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            return {"file": name, "refusal": "no DICM prefix: not a Part 10 file"}
        except Exception as error:
            return {"file": name, "refusal": f"unreadable: {type(error).__name__}: {error}"[:200]}
        last = last_element(dataset)  # pydicom forgets where a value was once it has decoded it
        reason = refusal(path, dataset, last)
        uids = {
            "study": text_of(dataset, "StudyInstanceUID"),
            "series": text_of(dataset, "SeriesInstanceUID"),
            "instance": text_of(dataset, "SOPInstanceUID"),
        }
        answer = {"file": name, "refusal": reason}
        if all(uids.values()):
            answer["uids"] = uids
        if reason is None:
            try:
                dataset.decode()
            except Exception:  # each undecodable value is reported as unreadable
                pass
            answer["dataSet"] = to_json(dataset, dataset.is_little_endian)
            if last is not None and only_delimiter_missing(path, last[1]):
                answer["dataSet"]["7FE00010"] = {"vr": "OW", "Unreadable": "left out by pydicom"}
        return answer


def main():
    for line in sys.stdin:
        print(json.dumps(examine(sys.argv[1], line.rstrip("\n")), allow_nan=False), flush=True)


if __name__ == "__main__":
    main()

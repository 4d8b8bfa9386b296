"""The ways Amazon Data Firehose compresses an object, made with other people's libraries."""
import gzip
import io
import struct
import uuid
import zipfile

BLOCK = 32 * 1024  # of snappy-java and of Hadoop


def plain(data):
    return data


def gzipped(data):
    return gzip.compress(data, 6)


def members(data):
    """gzip in several members, as concatenated CloudWatch records are."""
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


def zipped(data):
    """One deflated entry with a random name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(str(uuid.uuid4()), data)
    return out.getvalue()


def raw_snappy(data):
    import cramjam
    return bytes(cramjam.snappy.compress_raw(data))


def snappy(data):
    """The stream of snappy-java: a header, then blocks with their length."""
    out = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)
    for at in range(0, len(data), BLOCK):
        block = raw_snappy(data[at:at + BLOCK])
        out += struct.pack(">i", len(block)) + block
    return out


def hadoop_snappy(data):
    """Hadoop's blocks: the plain length, then the chunks with theirs."""
    out = b""
    for at in range(0, len(data), BLOCK):
        part = data[at:at + BLOCK]
        block = raw_snappy(part)
        out += struct.pack(">II", len(part), len(block)) + block
    return out


ALL = {"plain": plain, "gzip": gzipped, "gzip in members": members, "zip": zipped,
       "snappy": snappy, "hadoop snappy": hadoop_snappy}

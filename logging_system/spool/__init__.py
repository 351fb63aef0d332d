r"""Holds framed records on disk between the application that wrote them and the store that wants them.

Everything a spool folder holds (the folder is 0700 where this package creates it, each file 0600):

```
<epoch>-<index>.new         a segment being created; ignored; removed by a starting reader if its writer died
<epoch>-<index>.open        the segment a writer appends to; the writer holds an exclusive flock on it
<epoch>-<index>.segment     sealed: not one byte will be added
<epoch>-<index>.evicted     a mark in the place of a segment that gave way, see `retention`
<epoch>-<index>.corrupt     read to its end, damaged somewhere, kept aside for a person
checkpoint                  what has been delivered, in two slots
dead-letters.ndjson         what the store refused for good
shipper.lock                flock of the one reader
status-*.json               counters of each process
```

`epoch` is 32 hexadecimal digits, one value per writer: start second (u32), process id (u32), random (u64).
`index` is 8 hexadecimal digits counting up from 0. All integers are little-endian; every checksum is CRC32C.

A segment is a file header and then blocks, back to back; no block spans two files.

```
file header, 44 bytes                         block header, 32 bytes
  0  8s   magic  b"LSSPOOL\0"                   0  4s   marker  b"\xb1LBK"
  8  u16  format version, 1                     4  u32  length of the payload as stored
 10  u16  reserved, 0                           8  u32  CRC32C of the payload as stored
 12  u32  segment index                        12  u8   codec (0 plain), 3 bytes of padding
 16  16s  epoch                                16  u64  sequence of the first record
 32  u64  sequence of the first record         24  u32  number of records
 40  u32  CRC32C of the 40 bytes above         28  u32  CRC32C of the epoch and the 28 bytes above
```

The payload, before the codec, is `count` times {length u32, document bytes}. Sequences start at 1 and are
contiguous within an epoch, so a hole between two readable blocks is an exact count of what was destroyed. The
header's own checksum lets a reader find the next block behind damage; the epoch in it keeps a stale block of
another file out.

Codecs 254 and 255 are marks: blocks without payload that say what became of `count` sequences. 255 (void):
they were refused to the caller and will not come; with a count of 0, the end of a sealed segment. 254: they
gave way to newer records.

A block whose sync failed is written again, under the same sequences, into a new segment: a reader skips what
it has already seen. Where its records are not handed in again, a void mark takes their place.

Every later version keeps the file header's layout and checksum; a segment whose header is whole and names a
newer version is left alone and reported. docs/reference/spool-format.md has all this with an example.
"""

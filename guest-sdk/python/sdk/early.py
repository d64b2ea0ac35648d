"""What the standard library imports only when it is first needed. A module has no files to import from once it is made, so all of it
is imported while it is being made. Imported by module.py, before the author's own code.
"""

# ruff: noqa: F401
import _strptime
import encodings.ascii
import encodings.base64_codec
import encodings.cp1252
import encodings.hex_codec
import encodings.idna
import encodings.latin_1
import encodings.punycode
import encodings.raw_unicode_escape
import encodings.unicode_escape
import encodings.utf_16
import encodings.utf_16_be
import encodings.utf_16_le
import encodings.utf_8_sig
import linecache
import tokenize
import traceback
import warnings

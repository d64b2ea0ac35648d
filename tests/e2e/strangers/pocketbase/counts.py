"""What PocketBase has kept, as JSON: the requests of its log, and how many users and notes there are."""

import json
import sqlite3
import sys
from collections import Counter

FOLDER = sys.argv[1]


def rows(file, query):
    with sqlite3.connect(f"file:{FOLDER}/{file}?mode=ro", uri=True) as data:
        return data.execute(query).fetchall()


def route(url):
    path = url.split("?")[0]
    head, found, rest = path.partition("/records/")
    return f"{head}{found}{{id}}" if rest else path


of = "json_extract(data, '$.method'), json_extract(data, '$.url'), json_extract(data, '$.status')"
logged = rows("auxiliary.db", f"select {of} from _logs where json_extract(data, '$.type') = 'request'")
requests = Counter((method, route(url), status) for method, url, status in logged)
print(json.dumps({
    "requests": [[*key, count] for key, count in requests.items()],
    "users": rows("data.db", "select count(*) from users")[0][0],
    "notes": rows("data.db", "select count(*) from notes")[0][0],
}))

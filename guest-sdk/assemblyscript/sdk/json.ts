//! JSON without a tree: text is built field by field, and single values are read from text by their path. Journeys and the
//! token holder call it. It reads whatever a target sends: nothing is followed beyond the text's end.

const DEEPEST: i32 = 128;

/** JSON text of an object: `object().text('name', name).number('age', 7).end()`. */
export class ObjectText {
  private json: string = '{';

  text(name: string, value: string): ObjectText {
    return this.raw(name, quoted(value));
  }

  number(name: string, value: f64): ObjectText {
    return this.raw(name, value === Math.floor(value) && Math.abs(value) < 1e15 ? (<i64>value).toString() : value.toString());
  }

  flag(name: string, value: bool): ObjectText {
    return this.raw(name, value ? 'true' : 'false');
  }

  /** Any value that is JSON already. */
  raw(name: string, json: string): ObjectText {
    this.json += `${this.json.length > 1 ? ',' : ''}${quoted(name)}:${json}`;
    return this;
  }

  end(): string {
    return this.json + '}';
  }
}

export function object(): ObjectText {
  return new ObjectText();
}

/** A JSON string. */
export function quoted(text: string): string {
  let json = '"';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 && code !== 0x22 && code !== 0x5c) continue;
    json += text.substring(from, at);
    from = at + 1;
    json += code === 0x22 ? '\\"' : code === 0x5c ? '\\\\' : '\\u00' + (code < 16 ? '0' : '') + code.toString(16);
  }
  return json + text.substring(from) + '"';
}

/** One value in a JSON text, found by a path of fields and positions: `data.user.id`, `data.0.name`. */
export class Value {
  /** Where it begins; below 0 when there is no such value. */
  private begins: i32 = -1;
  private at: i32 = 0;

  constructor(private json: string, path: string = '') {
    this.space();
    const found = path.length === 0 || this.follow(path.split('.'));
    const begins = this.at;
    if (found && this.skip()) this.begins = begins;
  }

  private follow(parts: string[]): bool {
    for (let part = 0; part < parts.length; part += 1) {
      if (!this.descend(parts[part])) return false;
    }
    return true;
  }

  get exists(): bool {
    return this.begins >= 0;
  }

  /** The JSON of the value itself. */
  get raw(): string {
    return this.begins < 0 ? '' : this.json.substring(this.begins, this.at);
  }

  get isText(): bool {
    return this.begins >= 0 && this.json.charCodeAt(this.begins) === 0x22;
  }

  /** The text that it is; empty when it is none. */
  get text(): string {
    if (!this.isText) return '';
    const raw = this.json.substring(this.begins + 1, this.at - 1);
    return raw.includes('\\') ? unescaped(raw) : raw;
  }

  /** The number that it is; NaN when it is none. */
  get number(): f64 {
    const raw = this.raw;
    if (raw.length === 0) return NaN;
    const first = raw.charCodeAt(0);
    return first === 0x2d || (first >= 0x30 && first <= 0x39) ? parseFloat(raw) : NaN;
  }

  get flag(): bool {
    return this.raw === 'true';
  }

  /** How many elements or fields there are; 0 when it is neither. */
  get count(): i32 {
    if (this.begins < 0) return 0;
    const first = this.json.charCodeAt(this.begins);
    const end = this.at;
    if (first !== 0x5b && first !== 0x7b) return 0;
    let count = 0;
    this.at = this.begins + 1;
    this.space();
    while (this.at < end - 1) {
      if (first === 0x7b && !(this.skip() && this.take(0x3a))) break;
      if (!this.skip()) break;
      count += 1;
      if (!this.take(0x2c)) break;
    }
    this.at = end;
    return count;
  }

  private space(): void {
    while (this.at < this.json.length && this.json.charCodeAt(this.at) <= 0x20) this.at += 1;
  }

  private take(code: i32): bool {
    this.space();
    if (this.at >= this.json.length || this.json.charCodeAt(this.at) !== code) return false;
    this.at += 1;
    return true;
  }

  private skipText(): bool {
    for (this.at += 1; this.at < this.json.length; this.at += 1) {
      const code = this.json.charCodeAt(this.at);
      if (code === 0x5c) {
        this.at += 1;
      } else if (code === 0x22) {
        this.at += 1;
        return true;
      }
    }
    return false;
  }

  /** Go behind one value. */
  private skip(): bool {
    let depth = 0;
    do {
      this.space();
      if (this.at >= this.json.length) return false;
      const code = this.json.charCodeAt(this.at);
      if (code === 0x22) {
        if (!this.skipText()) return false;
      } else if (code === 0x7b || code === 0x5b) {
        depth += 1;
        if (depth > DEEPEST) return false;
        this.at += 1;
      } else if (code === 0x7d || code === 0x5d) {
        if (depth === 0) return false;
        depth -= 1;
        this.at += 1;
      } else if (code === 0x2c || code === 0x3a) {
        if (depth === 0) return false;
        this.at += 1;
      } else {
        while (this.at < this.json.length && !ends(this.json.charCodeAt(this.at))) this.at += 1;
      }
    } while (depth > 0);
    return true;
  }

  /** Go to one part of a path. Names are compared as they are written, without escapes. */
  private descend(part: string): bool {
    if (this.take(0x5b)) {
      let left = I32.parseInt(part);
      if (left < 0 || left.toString() !== part) return false;
      for (;;) {
        this.space();
        if (this.at < this.json.length && this.json.charCodeAt(this.at) === 0x5d) return false;
        if (left === 0) return true;
        left -= 1;
        if (!this.skip() || !this.take(0x2c)) return false;
      }
    }
    if (!this.take(0x7b)) return false;
    do {
      this.space();
      const begins = this.at;
      if (begins >= this.json.length || this.json.charCodeAt(begins) !== 0x22 || !this.skipText()) return false;
      const name = this.json.substring(begins + 1, this.at - 1);
      if (!this.take(0x3a)) return false;
      this.space();
      if (name === part) return this.at < this.json.length;
      if (!this.skip()) return false;
    } while (this.take(0x2c));
    return false;
  }
}

function ends(code: i32): bool {
  return code <= 0x20 || code === 0x2c || code === 0x7d || code === 0x5d;
}

function unescaped(raw: string): string {
  let text = '';
  for (let at = 0; at < raw.length; at += 1) {
    if (raw.charCodeAt(at) !== 0x5c) {
      text += raw.charAt(at);
      continue;
    }
    at += 1;
    const code = raw.charCodeAt(at);
    if (code === 0x75) {
      text += String.fromCharCode(<i32>I32.parseInt(raw.substring(at + 1, at + 5), 16));
      at += 4;
    } else {
      text += code === 0x6e ? '\n' : code === 0x74 ? '\t' : code === 0x72 ? '\r' : code === 0x62 ? '\b' : code === 0x66 ? '\f' : raw.charAt(at);
    }
  }
  return text;
}

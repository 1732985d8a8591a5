/**
 * Walks over a filter and keeps what a person must be told when it is malformed: the farthest place
 * that was reached, what could have stood there, and the mistakes that have a name.
 */

/** A set of characters, with the label that Consul's messages have for it. */
export interface CharacterClass {
  readonly label: string;
  readonly pattern: RegExp;
}

const SPACE: CharacterClass = { label: '[ \\t\\r\\n]', pattern: /[ \t\r\n]/ };
const END = 'EOF';
/** Each is a line of the answer; nobody reads more. */
const MAX_MISTAKES = 16;

export class Scanner {
  readonly text: string;
  /** Where it stands; set it back to try another way. */
  at = 0;
  #farthest = 0;
  readonly #expected = new Set<string>();
  readonly #mistakes = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  /** Steps over `text` if it stands here. */
  literal(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return this.#miss(JSON.stringify(text));
    this.at += text.length;
    return true;
  }

  /** Steps over one character of the class. */
  one({ label, pattern }: CharacterClass): boolean {
    if (!pattern.test(this.text.charAt(this.at))) return this.#miss(label);
    this.at++;
    return true;
  }

  /** Steps over as many characters of the class as there are, and says whether there was any. */
  many(characters: CharacterClass): boolean {
    const start = this.at;
    while (this.one(characters));
    return this.at > start;
  }

  spaces(): boolean {
    return this.many(SPACE);
  }

  end(): boolean {
    return this.at === this.text.length || this.#miss(END);
  }

  /** Tries one way, and stands where it stood before if that fails. */
  attempt<T>(way: () => T | undefined): T | undefined {
    const start = this.at;
    const result = way();
    if (result === undefined) this.at = start;
    return result;
  }

  /** Notes a mistake that makes the whole filter malformed, whichever way is tried after it. */
  mistake(rule: string, message: string, at = this.at): void {
    if (this.#mistakes.size >= MAX_MISTAKES) return;
    this.#mistakes.add(`${this.#position(at)}: rule "${rule}": ${message}`);
  }

  get hasMistakes(): boolean {
    return this.#mistakes.size > 0;
  }

  /** In Consul's form; several mistakes are lines of their own. */
  complaint(): string {
    if (this.hasMistakes) return [...this.#mistakes].join('\n');
    const expected = [...this.#expected].filter((label) => label !== END).sort();
    if (this.#expected.has(END)) expected.push(END);
    const last = expected.pop() ?? END;
    const list = expected.length === 0 ? last : `${expected.join(', ')} or ${last}`;
    return `${this.#position(this.#farthest)}: no match found, expected: ${list}`;
  }

  #miss(label: string): false {
    if (this.at > this.#farthest) {
      this.#farthest = this.at;
      this.#expected.clear();
    }
    if (this.at === this.#farthest) this.#expected.add(label);
    return false;
  }

  /** Line, column in characters, offset in bytes. Consul counts a line's end as its next's start. */
  #position(at: number): string {
    const before = this.text.slice(0, at);
    const upTo = this.text.charAt(at) === '\n' ? `${before}\n` : `${before} `;
    const lines = upTo.split('\n');
    const column = Array.from(lines.at(-1) ?? '').length;
    return `${lines.length}:${column} (${Buffer.byteLength(before)})`;
  }
}

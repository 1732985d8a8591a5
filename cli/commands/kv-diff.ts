import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { type Command, refuseArguments } from '../command.ts';
import { FORMAT, wantsJson } from '../format.ts';
import { readHistory, readIndex, type ShownRevision } from '../kv-revisions.ts';
import { type DiffLine, diffLines, hunks } from '../line-diff.ts';

export const command: Command = {
  synopsis: '[options] KEY [REVISION [REVISION]]',
  details:
    'Between two revisions, or from one to what stands now; by default the last change. A number ' +
    'between two revisions means the earlier one: what stood at that index.',
  examples: ['config/web/limit', 'config/web/limit 812', '-format=json config/web/limit 812 907'],
  http: 'query',
  flags: new Map([FORMAT]),

  async run({ flags, args, host, client }) {
    refuseArguments(args, 3);
    const asJson = wantsJson(flags);
    const [name = '', ...sent] = args;
    const wanted = sent.map(readIndex);
    const key = name.replace(/^\//, '');
    const all = await readHistory(client(), key);
    const from = wanted[0] === undefined ? (all[1] ?? NOTHING) : at(all, key, wanted[0]);
    const to = wanted[1] === undefined ? all[0] : at(all, key, wanted[1]);
    if (to === undefined) return 0;
    const lines = linesOf(from, to);
    host.print(
      asJson ? `${encodeJson(jsonOf(key, from, to, lines), true)}\n` : text(from, to, lines),
    );
    return 0;
  },
};

/** In front of the first that is kept. */
const NOTHING: ShownRevision = {
  Key: '',
  Revision: 0,
  Time: null,
  AccessorID: '',
  Deleted: true,
  Flags: 0,
  Value: null,
};

function at(all: readonly ShownRevision[], key: string, index: bigint): ShownRevision {
  const found = all.find(({ Revision }) => BigInt(Revision) <= index);
  if (found !== undefined) return found;
  throw new ProconsulError('not-found', `Error! No revision ${index} is kept of: ${key}`);
}

/** Undefined where one of them is no text. */
function linesOf(from: ShownRevision, to: ShownRevision): readonly DiffLine[] | undefined {
  const [before, after] = [textOf(from), textOf(to)];
  return before === undefined || after === undefined ? undefined : diffLines(before, after);
}

function textOf({ Value }: ShownRevision): string | undefined {
  const bytes = Buffer.from(Value ?? '', 'base64');
  const text = bytes.toString();
  return bytes.equals(Buffer.from(text)) && !text.includes('\0') ? text : undefined;
}

function jsonOf(
  Key: string,
  from: ShownRevision,
  to: ShownRevision,
  lines: readonly DiffLine[] | undefined,
) {
  const Lines = lines?.map(({ op, text: Text }) => ({ Op: op, Text })) ?? null;
  return { Key, From: from, To: to, Lines };
}

function text(
  from: ShownRevision,
  to: ShownRevision,
  lines: readonly DiffLine[] | undefined,
): string {
  const flags = from.Flags === to.Flags ? '' : `flags ${from.Flags} became ${to.Flags}\n`;
  const head = `--- ${titleOf(from)}\n+++ ${titleOf(to)}\n${flags}`;
  if (lines === undefined) return `${head}Values that are no text differ, or may.\n`;
  const shown = hunks(lines).map((hunk) => {
    const body = hunk.lines.map(({ op, text: line }) => `${op}${line}\n`).join('');
    return `@@ -${hunk.from} +${hunk.to} @@\n${body}`;
  });
  return `${head}${shown.join('')}`;
}

function titleOf({ Revision, Time, AccessorID, Deleted }: ShownRevision): string {
  const facts = [`revision ${Revision}`, Time ?? '', AccessorID, Deleted ? '(not there)' : ''];
  return facts.filter((fact) => fact !== '').join(' ');
}

/** The flags of `agent`: those that set a key stand in its row, the rest is about the reading itself. */
import type { Flag, FlagKind } from './flags.ts';
import { eachRow, type Kind } from './row.ts';
import { CONFIG_KEYS } from './table.ts';

const FLAG_KINDS: Partial<Readonly<Record<Kind, FlagKind>>> = {
  bool: 'bool',
  int: 'int',
  string: 'string',
  duration: 'string',
  strings: 'strings',
  map: 'map',
};

/** Every flag of `agent` but -help, by name. */
export const AGENT_FLAGS: ReadonlyMap<string, Flag> = agentFlags();

function agentFlags(): ReadonlyMap<string, Flag> {
  const flags = new Map<string, Flag>([
    [
      'config-dir',
      {
        kind: 'strings',
        help: 'A folder whose .json and .hcl files are read in the order of their names; may be repeated.',
      },
    ],
    ['config-file', { kind: 'strings', help: 'A file in JSON or HCL; may be repeated.' }],
    [
      'config-format',
      { kind: 'string', help: "Read every file as 'hcl' or 'json', whatever its ending." },
    ],
    ['dev', { kind: 'bool', help: 'Run a server that keeps everything in memory, to try it out.' }],
    ['hcl', { kind: 'strings', help: 'A piece of configuration in HCL; may be repeated.' }],
  ]);
  eachRow(CONFIG_KEYS, (key, { flag, kind, does, effect }) => {
    if (flag === undefined) return;
    const help = effect === 'refused' ? `Refused: it asks for ${does}.` : does;
    flags.set(flag, { kind: FLAG_KINDS[kind] ?? 'string', key, help: capitalised(help) });
  });
  return flags;
}

function capitalised(help: string): string {
  return help.charAt(0).toUpperCase() + help.slice(1);
}

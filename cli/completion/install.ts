/** Lines in the files that bash, zsh and fish read, by which they ask this program what may follow. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, ProconsulError } from '../../lib/errors.ts';

const NAMES = ['proconsul', 'consul'];

interface Shell {
  readonly file: string;
  /** It is there only for this: taken away whole. */
  readonly own: boolean;
  readonly lines: readonly string[];
}

/** `program` is asked with the line in COMP_LINE, as bash does by itself. */
function shells(home: string, program: string): readonly Shell[] {
  const quoted = `'${program.replaceAll("'", String.raw`'\''`)}'`;
  const complete = NAMES.map((name) => `complete -o nospace -C ${quoted} ${name}`);
  const asks = `(env COMP_LINE=(commandline -cp) ${quoted})`;
  return [
    { file: join(home, '.bashrc'), own: false, lines: complete },
    {
      file: join(home, '.zshrc'),
      own: false,
      lines: ['autoload -U +X bashcompinit && bashcompinit', ...complete],
    },
    ...NAMES.map((name) => ({
      file: join(home, `.config/fish/completions/${name}.fish`),
      own: true,
      lines: [`complete -f -c ${name} -a "${asks}"`],
    })),
  ];
}

const BEGINS =
  '# What may follow on a command line: proconsul -autocomplete-uninstall takes it out.';
const ENDS = '# End of proconsul.';

/** Returns the files that it changed: those of shells that somebody has used here. */
export function install(home: string, program: string): readonly string[] {
  const block = ({ lines }: Shell) => `${[BEGINS, ...lines, ENDS].join('\n')}\n`;
  return changed(home, program, (before, shell) => {
    if (before === undefined && !isUsed(shell, home)) return undefined;
    const rest = without(before ?? '');
    return `${rest}${rest === '' || rest.endsWith('\n') ? '' : '\n'}${block(shell)}`;
  });
}

/** Returns the files that it changed. */
export function uninstall(home: string, program: string): readonly string[] {
  return changed(home, program, (before) => (before === undefined ? undefined : without(before)));
}

type Change = (before: string | undefined, shell: Shell) => string | undefined;

function changed(home: string, program: string, change: Change): readonly string[] {
  return shells(home, program).flatMap((shell) => {
    const before = read(shell.file);
    const after = change(before, shell);
    if (after === undefined || after === before) return [];
    write(shell, after);
    return [shell.file];
  });
}

/** Fish makes its folder when it is first run; a bash or zsh that somebody uses has its file. */
function isUsed({ own }: Shell, home: string): boolean {
  return own && read(join(home, '.config/fish/fish_variables')) !== undefined;
}

function without(text: string): string {
  const from = text.indexOf(BEGINS);
  const to = text.indexOf(`${ENDS}\n`, from);
  if (from < 0 || to < 0) return text;
  return text.slice(0, from) + text.slice(to + ENDS.length + 1);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ProconsulError('invalid', `cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

function write({ file, own }: Shell, text: string): void {
  try {
    if (own && text === '') {
      rmSync(file);
      return;
    }
    mkdirSync(dirname(file), { recursive: true });
    replace(existsSync(file) ? realpathSync(file) : file, text);
  } catch (cause) {
    throw new ProconsulError('invalid', `cannot write ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** The file is as it was, or has all of the text: a full disk must not take what somebody's shell begins with. */
function replace(file: string, text: string): void {
  const before = statSync(file, { throwIfNoEntry: false });
  const beside = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(beside, text, { flag: 'wx' });
    if (before !== undefined) {
      chownSync(beside, before.uid, before.gid);
      chmodSync(beside, before.mode);
    }
    renameSync(beside, file);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw cause;
  }
}

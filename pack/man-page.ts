/** The manual page, proconsul(1), made of the same table as the commands and their help. */
import { AGENT_MANUAL, AGENT_SUMMARY } from '../cli/agent-manual.ts';
import { HTTP_FLAGS } from '../cli/api-options.ts';
import { COMMANDS, type CommandNode } from '../cli/command-tree.ts';
import { type Manual, shellLines } from '../cli/usage.ts';
import type { FlagTable } from '../lib/config/flags.ts';

/** Of what `man` has left of 80 columns. */
const EXAMPLE_LENGTH = 64;

const HEAD = `.SH NAME
proconsul \\- a service registry that speaks Consul's HTTP API and DNS
.SH SYNOPSIS
.B proconsul
[\\-\\-version] [\\-\\-help] <command> [<args>]
.SH DESCRIPTION
Programs that use Consul use Proconsul unchanged, and so do people:
its commands take the flags of Consul's, say the same and end with the same codes.
.B proconsul agent
runs an agent or a server; all other commands ask one that runs.
.PP
A flag is written \\-name value, \\-name=value or \\-\\-name=value.
Bash, zsh and fish complete commands and flags after
.BR "proconsul \\-autocomplete\\-install" .
`;

const TAIL = `.SH ENVIRONMENT
Each option of the HTTP API has a variable, named with it above.
.B CONSUL_HTTP_SSL
and
.B CONSUL_HTTP_SSL_VERIFY
turn TLS and the look at certificates on and off.
.B NO_COLOR
turns colours off, which are on terminals alone.
.B PROCONSUL_REDIS_URL
says to an agent where its Redis is.
.SH FILES
.I /etc/proconsul/proconsul.hcl
configures the service that the Debian package brings, and
.I /var/lib/proconsul
keeps its state.
.SH EXIT STATUS
0 where all went well, 1 where it did not, and 127 for a command that is none.
.B members
and
.B exec
end with 2 where nobody was found, or somebody failed.
.SH SEE ALSO
.I /usr/share/doc/proconsul
`;

export async function manPage(version: string): Promise<string> {
  const entries: [string, string, Manual][] = [['agent', AGENT_SUMMARY, AGENT_MANUAL]];
  await gather(COMMANDS, [], entries);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `.TH PROCONSUL 1 "" "Proconsul ${roff(version)}" "User Commands"\n`,
    HEAD,
    '.SH COMMANDS\n',
    ...entries.map(sectionOf),
    '.SH OPTIONS OF THE HTTP API\n',
    flagsOf(HTTP_FLAGS.query),
    TAIL,
  ].join('');
}

async function gather(
  node: CommandNode,
  words: readonly string[],
  found: [string, string, Manual][],
): Promise<void> {
  if ('commands' in node) {
    for (const [name, next] of node.commands) await gather(next, [...words, name], found);
    return;
  }
  const command = await node.load();
  if (command.refused !== true) found.push([words.join(' '), node.summary, command]);
}

function sectionOf([name, summary, manual]: [string, string, Manual]): string {
  const { synopsis, details = '', examples = [], http, flags } = manual;
  const asks = http === 'none' ? '' : ' It takes the options of the HTTP API.';
  const shown = examples.flatMap((rest) =>
    shellLines(`proconsul ${name} ${rest}`, EXAMPLE_LENGTH).map((each) => `${roff(each)}\n`),
  );
  return [
    `.SS proconsul ${roff(`${name} ${synopsis}`.trimEnd())}\n`,
    `${roff(`${summary}. ${details}`.trimEnd())}${asks}\n`,
    flagsOf(flags),
    shown.length === 0 ? '' : `.PP\n.nf\n.RS\n${shown.join('')}.RE\n.fi\n`,
  ].join('');
}

function flagsOf(flags: FlagTable): string {
  const rows = [...flags].sort(([a], [b]) => (a < b ? -1 : 1));
  return rows
    .map(([name, { kind, help }]) => {
      const value = kind === 'bool' ? '' : ` \\fI${kind === 'map' ? 'key:value' : 'value'}\\fR`;
      return `.TP\n\\fB${roff(`-${name}`)}\\fR${value}\n${roff(help)}\n`;
    })
    .join('');
}

/** What would be a request or an escape is text. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

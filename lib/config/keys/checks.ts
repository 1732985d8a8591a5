/** What is allowed to checks, and what becomes of their output. */
import type { Problems } from '../problems.ts';
import { bool, duration, int, type Settled } from '../row.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const CHECK_POLICY_KEYS = {
  external_checks: bool(
    'Whether this server looks at the HTTP and TCP checks of external nodes (docs/agents.md).',
    { default: true },
  ),
  enable_script_checks: bool('Run script checks, those registered over HTTP too.', {
    flag: 'enable-script-checks',
    shown: 'EnableRemoteScriptChecks',
  }),
  enable_local_script_checks: bool('Run the script checks of configuration files.', {
    flag: 'enable-local-script-checks',
  }),
  check_update_interval: duration('How long a changed output may wait until servers hear of it.', {
    default: 5 * MINUTE,
    shown: 'CheckUpdateInterval',
  }),
  discard_check_output: bool('Keep no output of checks.', {
    reloads: true,
    shown: 'DiscardCheckOutput',
  }),
  check_output_max_size: int("How many bytes of a check's output are kept.", {
    default: 4096,
    flag: 'check_output_max_size',
    shown: 'CheckOutputMaxSize',
    rule: positive,
  }),
  check_deregister_interval_min: duration(
    'The least time that deregister_critical_service_after stands for.',
    { default: MINUTE, shown: 'CheckDeregisterIntervalMin' },
  ),
  check_reap_interval: duration('How often it is looked for services to take out for it.', {
    default: 30 * SECOND,
    shown: 'CheckReapInterval',
    // 0 would look without end.
    rule: (value) => value || 30 * SECOND,
  }),
};

type Values = Settled<typeof CHECK_POLICY_KEYS>;

export function checkPolicy(given: Values) {
  const remote = given.enable_script_checks;
  return {
    enableLocalScripts: remote || given.enable_local_script_checks,
    enableRemoteScripts: remote,
    external: given.external_checks,
    updateIntervalMs: given.check_update_interval,
    discardOutput: given.discard_check_output,
    maxOutputBytes: given.check_output_max_size,
    deregisterIntervalMinMs: given.check_deregister_interval_min,
    reapIntervalMs: given.check_reap_interval,
  };
}

/** As long as there is no access control, the networks that may write are the only bar. */
export function warnOfScripts(
  given: Values,
  allowWriteFrom: readonly string[],
  problems: Problems,
): void {
  if (!given.enable_script_checks || allowWriteFrom.length > 0) return;
  problems.warn(
    'using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS: ' +
      'whoever reaches the HTTP port runs commands here; use enable-local-script-checks instead',
  );
}

function positive(value: number, _path: string, problems: Problems): number {
  if (value < 1) {
    problems.refuse(
      'check_output_max_size must be positive, ' +
        'to discard check output use the discard_check_output flag',
    );
  }
  return value;
}

/** What the program prints, and figures of it. */
import type { Problems } from '../problems.ts';
import { bool, duration, int, newer, noEffect, type Settled, strings, text } from '../row.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['TRACE', 'trace'],
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['WARNING', 'warn'],
  ['ERR', 'error'],
  ['ERROR', 'error'],
]);

export const LOG_KEYS = {
  log_level: text('TRACE, DEBUG, INFO, WARN or ERR.', {
    reloads: true,
    default: 'INFO',
    flag: 'log-level',
    rule: level,
  }),
  log_json: bool('Write the log as JSON.', { flag: 'log-json', shown: 'Logging.LogJSON' }),
  log_file: text(
    'The file to write the log to, besides the console; the time goes into its name.',
    {
      flag: 'log-file',
      shown: 'Logging.LogFilePath',
    },
  ),
  log_rotate_bytes: int('How many bytes go into one file; 0 for no limit.', {
    flag: 'log-rotate-bytes',
    shown: 'Logging.LogRotateBytes',
  }),
  log_rotate_duration: duration('How long one file is written to; 0 is a day.', {
    flag: 'log-rotate-duration',
    shown: 'Logging.LogRotateDuration',
  }),
  log_rotate_max_files: int('How many older files are kept; 0 for all, -1 for none.', {
    flag: 'log-rotate-max-files',
    shown: 'Logging.LogRotateMaxFiles',
  }),
  enable_syslog: bool('Write the log to syslog too, by the program `logger`.', {
    flag: 'syslog',
    shown: 'Logging.EnableSyslog',
  }),
  syslog_facility: text('As what it is written there: USER, DAEMON, LOCAL0 to LOCAL7 …', {
    default: 'LOCAL0',
    shown: 'Logging.SyslogFacility',
    rule: facility,
  }),
};

export function logConfig(given: Settled<typeof LOG_KEYS>) {
  return {
    level: LEVELS.get(given.log_level.toUpperCase()) ?? 'info',
    json: given.log_json,
    /** '' for the console alone. */
    file: given.log_file,
    rotateBytes: given.log_rotate_bytes,
    rotateDurationMs: given.log_rotate_duration,
    rotateMaxFiles: given.log_rotate_max_files,
    syslog: { enabled: given.enable_syslog, facility: given.syslog_facility },
  };
}

const FACILITIES =
  /^(kern|user|mail|daemon|auth|syslog|lpr|news|uucp|authpriv|ftp|cron|local[0-7])$/i;

function facility(value: string, path: string, problems: Problems): string {
  if (!FACILITIES.test(value)) {
    problems.refuse(`${path}: invalid syslog facility: ${JSON.stringify(value)}`);
  }
  return value;
}

function level(value: string, _path: string, problems: Problems): string {
  if (!LEVELS.has(value.toUpperCase())) {
    problems.error(
      `Invalid log level: ${value}. Valid log levels are: [TRACE DEBUG INFO WARN ERR]`,
    );
  }
  return value;
}

const CIRCONUS = noEffect('nothing is sent to Circonus', {
  circonus_api_app: text('', { shown: 'Telemetry.CirconusAPIApp' }),
  circonus_api_token: text('', { shown: 'Telemetry.CirconusAPIToken', secret: true }),
  circonus_api_url: text('', { shown: 'Telemetry.CirconusAPIURL' }),
  circonus_broker_id: text('', { shown: 'Telemetry.CirconusBrokerID' }),
  circonus_broker_select_tag: text('', { shown: 'Telemetry.CirconusBrokerSelectTag' }),
  circonus_check_display_name: text('', { shown: 'Telemetry.CirconusCheckDisplayName' }),
  circonus_check_force_metric_activation: text('', {
    shown: 'Telemetry.CirconusCheckForceMetricActivation',
  }),
  circonus_check_id: text('', { shown: 'Telemetry.CirconusCheckID' }),
  circonus_check_instance_id: text('', { shown: 'Telemetry.CirconusCheckInstanceID' }),
  circonus_check_search_tag: text('', { shown: 'Telemetry.CirconusCheckSearchTag' }),
  circonus_check_tags: text('', { shown: 'Telemetry.CirconusCheckTags' }),
  circonus_submission_interval: text('', { shown: 'Telemetry.CirconusSubmissionInterval' }),
  circonus_submission_url: text('', { shown: 'Telemetry.CirconusSubmissionURL' }),
});

export const TELEMETRY_KEYS = {
  telemetry: {
    metrics_prefix: text('The beginning of the names of figures.', {
      default: 'consul',
      shown: 'Telemetry.MetricsPrefix',
    }),
    prefix_filter: strings(
      'Beginnings of names that are shown (+) or not (-); the longest one that fits counts.',
      { rule: filterRules, reloads: true },
    ),
    filter_default: bool('Whether metrics are shown that no prefix_filter names.', {
      default: true,
      shown: 'Telemetry.FilterDefault',
    }),
    disable_hostname: bool('Leave the host out of the names of gauges.', {
      shown: 'Telemetry.DisableHostname',
    }),
    prometheus_retention_time: duration(
      'How long what does not change is shown to Prometheus; 0: it is refused, as in Consul.',
      { shown: 'Telemetry.PrometheusRetentionTime' },
    ),
    statsd_address: text('host:port of a statsd, which is sent all metrics each second.', {
      shown: 'Telemetry.StatsdAddr',
      rule: sinkAddress,
    }),
    dogstatsd_addr: text('The same of a dogstatsd, with labels as tags.', {
      shown: 'Telemetry.DogstatsdAddr',
      rule: sinkAddress,
    }),
    dogstatsd_tags: strings('Tags of everything that is sent to it.', {
      shown: 'Telemetry.DogstatsdTags',
    }),
    ...CIRCONUS,
    ...noEffect('nothing is sent to statsite: statsd_address does the same over UDP', {
      statsite_address: text('', { shown: 'Telemetry.StatsiteAddr' }),
    }),
    ...newer(
      'disable_compat_1_9',
      'disable_compat_1.9',
      'retry_failed_connection',
      'enable_host_metrics',
      'disable_per_tenancy_usage_metrics',
    ),
  },
};

export function telemetryConfig({ telemetry }: Settled<typeof TELEMETRY_KEYS>) {
  const starting = (sign: string) =>
    telemetry.prefix_filter.filter((rule) => rule.startsWith(sign)).map((rule) => rule.slice(1));
  const { statsd_address: statsd, dogstatsd_addr: dogstatsd } = telemetry;
  return {
    metricsPrefix: telemetry.metrics_prefix,
    /** 0: there is nothing for Prometheus. */
    prometheusRetentionMs: telemetry.prometheus_retention_time,
    disableHostname: telemetry.disable_hostname,
    filter: {
      allowed: starting('+'),
      blocked: starting('-'),
      byDefault: telemetry.filter_default,
    },
    sinks: [
      ...sinkOf('statsd', statsd, []),
      ...sinkOf('dogstatsd', dogstatsd, telemetry.dogstatsd_tags),
    ],
  };
}

function sinkOf(format: 'statsd' | 'dogstatsd', address: string, tags: readonly string[]) {
  const at = hostAndPort(address);
  return at === undefined ? [] : [{ format, ...at, tags }];
}

/** Consul starts without a sink whose address it cannot read, and says so in a line of its log. */
function sinkAddress(value: string, path: string, problems: Problems): string {
  if (value !== '' && hostAndPort(value) === undefined) {
    problems.refuse(`${path} must be host:port, and is ${JSON.stringify(value)}`);
  }
  return value;
}

function hostAndPort(address: string): { host: string; port: number } | undefined {
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:\s]*)):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  if (!(port > 0 && port < 65_536)) return undefined;
  return { host: v6 ?? (name || '127.0.0.1'), port };
}

function filterRules(
  value: readonly string[],
  _path: string,
  problems: Problems,
): readonly string[] {
  for (const rule of value) {
    if (rule === '') problems.warn('Cannot have empty filter rule in prefix_filter');
    else if (!/^[+-]/.test(rule)) {
      problems.warn(`Filter rule must begin with either '+' or '-': ${JSON.stringify(rule)}`);
    }
  }
  return value;
}

/** One thing that a target is told, and the shapes that it is told in. */
import type { Occasion } from '../../lib/config/keys/notify.ts';
import type { ServiceStatus } from '../notice-commands.ts';
import type { ServiceHealth } from './service-health.ts';

export interface Notice {
  readonly service: string;
  /** What this target was last told of it for sure. */
  readonly from: ServiceStatus;
  /** It may have been told something else since. */
  readonly isInDoubt: boolean;
  /** The first for which this target asks, if any. */
  readonly occasion: Occasion | undefined;
  readonly health: ServiceHealth;
  /** How often it has changed since the target was told, this change too. */
  readonly changes: number;
  /** Of the log: what is told is as it stands there. */
  readonly index: number;
}

/** Of what may have been told of a new service's failure it is no news alone that it is there. */
export function occasionsOf(
  from: ServiceStatus,
  to: ServiceStatus,
  isInDoubt: boolean,
): readonly Occasion[] {
  if (to === 'absent') return ['gone'];
  if (from !== 'absent' || to !== 'passing') return [to];
  return isInDoubt ? ['new', 'passing'] : ['new'];
}

/** An alert that nobody repeats ends by itself after so long. */
export const ALERT_ENDS_MS = 4 * 60_000;

const SEVERITIES = ['warning', 'critical'] as const;
type Severity = (typeof SEVERITIES)[number];

export interface Sender {
  readonly datacenter: string;
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** For programs and for webhooks of one's own. */
export function plainBody(notices: readonly Notice[], { datacenter, node, now }: Sender): object {
  return {
    Datacenter: datacenter,
    Sender: node,
    Time: new Date(now).toISOString(),
    Notices: notices.map((notice) => {
      const { service, from, health, occasion, changes, index } = notice;
      return {
        Service: service,
        From: from,
        To: health.status,
        Occasion: occasion,
        Changes: changes,
        Index: index,
        Instances: health.total,
        Passing: health.passing,
        Failing: health.failing,
      };
    }),
  };
}

/** For Slack, Mattermost and whoever else takes `text`. */
export function slackBody(notices: readonly Notice[], { datacenter }: Sender): object {
  return { text: notices.map((notice) => slackLine(notice, datacenter)).join('\n') };
}

function slackLine({ service, from, health, changes }: Notice, datacenter: string): string {
  const { status, failing } = health;
  const [first] = failing;
  const why = first === undefined ? '' : ` — ${first.ServiceID} on ${first.Node}: ${first.Output}`;
  const often = changes > 1 ? `, ${changes} changes` : '';
  return escaped(
    `${datacenter}: ${service} is ${status}${counted(health)} (was ${from}${often})${why}`,
  );
}

function counted({ total, passing }: ServiceHealth): string {
  return total === 0 ? '' : `, ${passing} of ${total} passing`;
}

/** Else whoever names a service could have everybody in a channel called (<!channel>). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * Alerts of Alertmanager's API v2. An alert is known by its labels, the severity among them: where that
 * changes one ends and another begins.
 */
export function alerts(notices: readonly Notice[], sender: Sender): readonly object[] {
  return notices.flatMap(({ service, from, isInDoubt, health }) => {
    const after = severityOf(health.status);
    // A service that was never there is not missed; one that was is, for a while.
    const isMissed = health.status === 'absent' && (from !== 'absent' || isInDoubt);
    const severity = isMissed ? 'critical' : after;
    // To end one that never began does no harm.
    const before = SEVERITIES.filter((each) => isInDoubt || each === from);
    return [
      ...before
        .filter((each) => each !== severity)
        .map((each) => alert(service, each, { ends: sender.now, health, sender })),
      ...(severity !== undefined
        ? [alert(service, severity, { ends: sender.now + ALERT_ENDS_MS, health, sender })]
        : []),
    ];
  });
}

function severityOf(status: ServiceStatus): Severity | undefined {
  return SEVERITIES.find((each) => each === status);
}

interface AlertOf {
  readonly ends: number;
  readonly health: ServiceHealth;
  readonly sender: Sender;
}

function alert(service: string, severity: Severity, { ends, health, sender }: AlertOf): object {
  const [first] = health.failing;
  return {
    labels: {
      alertname: 'ProconsulService',
      service,
      severity,
      datacenter: sender.datacenter,
    },
    annotations: {
      summary: `${service} is ${health.status}${counted(health)}`,
      ...(first && { description: `${first.ServiceID} on ${first.Node}: ${first.Output}` }),
    },
    endsAt: new Date(ends).toISOString(),
  };
}

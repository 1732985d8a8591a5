/** One thing that a target is told, and the shapes that it is told in. */
import type { Occasion } from '../../lib/config/keys/notify.ts';
import type { ServiceStatus } from '../commands.ts';
import type { ServiceHealth } from './service-health.ts';

export interface Notice {
  readonly service: string;
  /** What this target was last told of it. */
  readonly from: ServiceStatus;
  readonly health: ServiceHealth;
  /** How often it has changed since the target was told, this change too. */
  readonly changes: number;
  /** Of the log: what is told is as it stands there. */
  readonly index: number;
}

export function occasionOf(from: ServiceStatus, to: ServiceStatus): Occasion {
  if (to === 'absent') return 'gone';
  return from === 'absent' && to === 'passing' ? 'new' : to;
}

/** An alert that nobody repeats ends by itself after so long. */
export const ALERT_ENDS_MS = 4 * 60_000;

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
      const { service, from, health, changes, index } = notice;
      return {
        Service: service,
        From: from,
        To: health.status,
        Occasion: occasionOf(from, health.status),
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
  return notices.flatMap(({ service, from, health }) => {
    const [before, after] = [severityOf(from), severityOf(health.status)];
    // A service that was never there is not missed; one that was is, for a while.
    const isMissed = health.status === 'absent' && from !== 'absent';
    const severity = isMissed ? 'critical' : after;
    return [
      ...(before !== undefined && before !== severity
        ? [alert(service, before, { ends: sender.now, health, sender })]
        : []),
      ...(severity !== undefined
        ? [alert(service, severity, { ends: sender.now + ALERT_ENDS_MS, health, sender })]
        : []),
    ];
  });
}

function severityOf(status: ServiceStatus): 'warning' | 'critical' | undefined {
  return status === 'warning' || status === 'critical' ? status : undefined;
}

interface AlertOf {
  readonly ends: number;
  readonly health: ServiceHealth;
  readonly sender: Sender;
}

function alert(service: string, severity: string, { ends, health, sender }: AlertOf): object {
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

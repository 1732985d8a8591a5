/** How often clients of Eureka did what, at this server; and what its leader did to those that did nothing. */
import { counter, type Metric } from '../../lib/metrics/metric.ts';

export class EurekaCounts {
  registrations = 0;
  renewals = 0;
  unknown = 0;
  cancellations = 0;
  lapsed = 0;
  expired = 0;

  metrics(): readonly Metric[] {
    return [
      counter(
        'proconsul.eureka.registrations',
        "registrations of Eureka's clients, those included that changed nothing",
        () => this.registrations,
      ),
      counter(
        'proconsul.eureka.renewals',
        'renewals of leases that were taken',
        () => this.renewals,
      ),
      counter(
        'proconsul.eureka.unknown_renewals',
        'renewals answered 404: those clients register again',
        () => this.unknown,
      ),
      counter(
        'proconsul.eureka.cancellations',
        'instances that their clients took out',
        () => this.cancellations,
      ),
      counter(
        'proconsul.eureka.lapsed',
        'instances that were not renewed in time, and are critical: the leader counts',
        () => this.lapsed,
      ),
      counter(
        'proconsul.eureka.expired',
        'instances that went since nobody renewed them: the leader counts',
        () => this.expired,
      ),
    ];
  }
}

/** The check that takes a service, or the whole node, out of all answers for a while. */
import {
  type CheckDefinition,
  NODE_MAINTENANCE,
  SERVICE_MAINTENANCE_PREFIX,
} from '../../lib/model.ts';

export interface Maintenance {
  readonly reason: string;
  /** Under which the catalog is told of it. */
  readonly token: string;
}

/** Of a service's, or of the node's for ''. */
export function maintenanceId(serviceId: string): string {
  return serviceId === '' ? NODE_MAINTENANCE : SERVICE_MAINTENANCE_PREFIX + serviceId;
}

export function maintenanceCheck(ServiceID: string, reason: string): CheckDefinition {
  const kind = ServiceID === '' ? 'node' : 'service';
  return {
    CheckID: maintenanceId(ServiceID),
    Name: ServiceID === '' ? 'Node Maintenance Mode' : 'Service Maintenance Mode',
    Status: 'critical',
    Notes:
      reason === ''
        ? `Maintenance mode is enabled for this ${kind}, but no reason was provided. This is a default message.`
        : reason,
    Output: '',
    ServiceID,
    Type: 'maintenance',
    Definition: {},
  };
}

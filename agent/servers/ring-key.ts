/** What the ring places a request by: a service's name, so that its watchers meet at one server. */

const BY_SERVICE = /^\/v1\/(?:health|catalog)\/(?:service|connect|ingress|checks)\/([^?]+)/;
const PREPARED = /^\/v1\/query\/([^/?]+)\/(?:execute|explain)/;

export function ringKey(target: string): string {
  const [, name] = BY_SERVICE.exec(target) ?? PREPARED.exec(target) ?? [];
  if (name !== undefined) return decoded(name);
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Some server will refuse it; which one does not matter.
    return name;
  }
}

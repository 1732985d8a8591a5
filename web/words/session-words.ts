import { count, plural, words } from './words.ts';

export const sessionWords = words(
  {
    title: 'Sessions and locks',
    summary: (all: number, holding: number) =>
      `${plural(all, 'session')}, ${holding === 0 ? 'none holds a lock' : `${count(holding)} holding locks`}`,
    session: 'Session',
    node: 'Node',
    holds: 'Holds',
    holdsNothing: 'no lock',
    more: (n: number) => `and ${count(n)} more`,
    ttl: 'Lives',
    ttlNone: 'until it is ended',
    ttlFor: (time: string) => `${time} after a renewal`,
    behavior: 'At its end',
    release: 'its locks are let go',
    delete: 'its keys are deleted',
    lockDelay: 'Lock delay',
    noDelay: 'none',
    delayHint: 'If it ends by itself, nobody takes its locks for so long.',
    action: 'Action',
    none: 'There is no session',
    noneHint: 'A session is what locks are held by. This holds a lock while a program runs:',
    noMatch: 'No session matches',
    noMatchHint: 'Names, ids, nodes and the keys that they hold are searched for words.',
    invalidate: 'Invalidate',
    invalidateText: (name: string) =>
      `${name} ends at once, and its holder learns of it at the next renewal.`,
    letsGo: (n: number) =>
      n === 0
        ? 'It holds no lock.'
        : `Others may take ${plural(n, 'lock')} at once, without a delay.`,
    letsAllGo: 'Others may take all of its locks at once, without a delay.',
    deletes: (n: number) =>
      n === 0 ? 'It holds no key.' : `${plural(n, 'key')} that it holds will be deleted.`,
    deletesAll: 'All keys that it holds will be deleted.',
    mayBeMore: (n: number) =>
      `You see ${count(n)} of them; there may be more that you may not see.`,
    noWayBack:
      'There is no way back: its holder has to make another, and to ask for its locks again.',
    invalidated: 'The session has ended.',
  },
  {
    title: '会话与锁',
    summary: (all: number, holding: number) =>
      `${count(all)} 个会话，${holding === 0 ? '均未持有锁' : `${count(holding)} 个持有锁`}`,
    session: '会话',
    node: '节点',
    holds: '持有',
    holdsNothing: '无锁',
    more: (n: number) => `另有 ${count(n)} 个`,
    ttl: '有效期',
    ttlNone: '直到被结束',
    ttlFor: (time: string) => `续约后 ${time}`,
    behavior: '结束时',
    release: '释放其锁',
    delete: '删除其键',
    lockDelay: '锁延迟',
    noDelay: '无',
    delayHint: '若它自行结束，在此时间内无人能取得其锁。',
    action: '操作',
    none: '没有会话',
    noneHint: '锁由会话持有。以下命令在程序运行期间持有锁：',
    noMatch: '没有匹配的会话',
    noMatchHint: '关键词匹配名称、ID、节点和所持有的键。',
    invalidate: '使失效',
    invalidateText: (name: string) => `${name} 将立即结束，持有者在下次续约时得知。`,
    letsGo: (n: number) =>
      n === 0 ? '它未持有锁。' : `${count(n)} 个锁可立即被他人取得，没有延迟。`,
    letsAllGo: '它的所有锁可立即被他人取得，没有延迟。',
    deletesAll: '它持有的所有键都将被删除。',
    mayBeMore: (n: number) => `您能看到其中 ${count(n)} 个；可能还有您无权查看的。`,
    deletes: (n: number) => (n === 0 ? '它未持有键。' : `它持有的 ${count(n)} 个键将被删除。`),
    noWayBack: '无法撤销：持有者须新建会话并重新请求其锁。',
    invalidated: '会话已结束。',
  },
);

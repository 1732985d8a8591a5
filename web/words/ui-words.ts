/** What parts say that stand on many pages. */
import { count, words } from './words.ts';

function share(n: number, all: number): string {
  if (n < all) return `${count(n)} of ${count(all)}`;
  return all === 1 ? '1' : `all ${count(all)}`;
}

function shareZh(n: number, all: number): string {
  return n < all ? `${count(all)} 个中 ${count(n)} 个` : `${count(all)} 个${all > 1 ? '全部' : ''}`;
}

export const uiWords = words(
  {
    status: {
      passing: 'passing',
      warning: 'warning',
      critical: 'failing',
      maintenance: 'in maintenance',
      none: 'no checks',
    },
    noneThere: 'no instances',
    allPassing: (all: number) => `${share(all, all)} passing`,
    ofAll: {
      critical: (n: number, all: number) => `${share(n, all)} failing`,
      warning: (n: number, all: number) => `${share(n, all)} warning`,
      maintenance: (n: number, all: number) => `${share(n, all)} in maintenance`,
    },
    also: (n: number, status: string) => `${count(n)} ${status}`,
    forTime: (time: string) => `for ${time}`,
    comma: ', ',
    undo: 'Undo',
    undone: 'Taken back.',
    dismiss: 'Dismiss',
    cancel: 'Cancel',
    close: 'Close',
    copy: 'Copy',
    copied: 'Copied',
    asCommand: 'The same as a command',
    mayNot: 'Your token may not do that.',
    notDone: 'Somebody else has changed it meanwhile: nothing was done.',
    unreachable: 'The server cannot be reached.',
    loading: 'Loading…',
    mayNotSee: 'You may not see this',
    mayNotSeeHint: 'Your token does not have the right. That is not to say that there is none.',
    logIn: 'Use another token',
    partial: 'Access control keeps something back: your token may not see all that there is.',
    anyone: 'You see what anyone may see: without a token there may be more than is shown.',
    filter: 'Filter',
    filterHint: (example: string) => `Words, or an expression: ${example}`,
    clearFilter: 'Clear the filter',
    badFilter: 'The filter cannot be understood',
    matching: (shown: number, all: number) => `${count(shown)} of ${count(all)}`,
    suggestions: 'Suggestions',
    sortedBy: (column: string) => `Sort by ${column}`,
    rows: (n: number) => `${count(n)} rows`,
    more: (n: number) => `and ${count(n)} more`,
  },
  {
    status: {
      passing: '正常',
      warning: '警告',
      critical: '故障',
      maintenance: '维护中',
      none: '无检查',
    },
    noneThere: '没有实例',
    allPassing: (all: number) => `${shareZh(all, all)}正常`,
    ofAll: {
      critical: (n: number, all: number) => `${shareZh(n, all)}故障`,
      warning: (n: number, all: number) => `${shareZh(n, all)}警告`,
      maintenance: (n: number, all: number) => `${shareZh(n, all)}维护中`,
    },
    also: (n: number, status: string) => `${count(n)} 个${status}`,
    forTime: (time: string) => `已持续 ${time}`,
    comma: '，',
    undo: '撤销',
    undone: '已撤销。',
    dismiss: '关闭',
    cancel: '取消',
    close: '关闭',
    copy: '复制',
    copied: '已复制',
    asCommand: '对应的命令',
    mayNot: '您的令牌没有此权限。',
    notDone: '其间已被他人更改：未执行任何操作。',
    unreachable: '无法连接服务器。',
    loading: '加载中…',
    mayNotSee: '您无权查看此内容',
    mayNotSeeHint: '您的令牌没有此权限，但这并不表示内容不存在。',
    logIn: '使用其他令牌',
    partial: '访问控制隐藏了部分内容：您的令牌无法看到全部。',
    anyone: '当前显示的是任何人可见的内容；没有令牌时，可能还有未显示的内容。',
    filter: '筛选',
    filterHint: (example: string) => `关键词，或表达式：${example}`,
    clearFilter: '清除筛选',
    badFilter: '无法理解此筛选条件',
    matching: (shown: number, all: number) => `${count(all)} 项中的 ${count(shown)} 项`,
    suggestions: '建议',
    sortedBy: (column: string) => `按${column}排序`,
    rows: (n: number) => `${count(n)} 行`,
    more: (n: number) => `另有 ${count(n)} 项`,
  },
);

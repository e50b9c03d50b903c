import type { Action, ActionKind, SiteView } from '../protocol/gen';
import { hasTile } from './state';

/** An entry of a site's menu. `confirm` entries ask first. */
export interface SiteAction {
  word: 'bigScreen' | 'bigScreenOff' | 'mute' | 'allowUnmute' | 'remove' | 'readmit';
  action: Action;
  confirm: boolean;
}

type Rule = SiteAction & { needs: ActionKind; when: boolean };

const rule = (
  needs: ActionKind,
  when: boolean,
  word: SiteAction['word'],
  action: Action,
  confirm = false,
): Rule => ({ needs, when, word, action, confirm });

/** What may be done to a site just now: only what the server lists, and only what changes anything. */
export function siteActions(
  site: SiteView,
  isYou: boolean,
  onBigScreen: boolean,
  may: ActionKind[],
): SiteAction[] {
  const id = site.id;
  const here = hasTile(site);
  const muted = site.microphone === 'muted_by_chair';
  const rules = [
    rule('big_screen', here && !onBigScreen, 'bigScreen', { kind: 'big_screen', site: id }),
    rule('big_screen', onBigScreen, 'bigScreenOff', { kind: 'big_screen', site: null }),
    rule('mute', here && !isYou && !muted, 'mute', { kind: 'mute', site: id }),
    rule('allow_unmute', here && muted, 'allowUnmute', { kind: 'allow_unmute', site: id }),
    rule('remove', here && !isYou, 'remove', { kind: 'remove', site: id }, true),
    rule('readmit', site.presence === 'removed', 'readmit', { kind: 'readmit', site: id }),
  ];
  return rules
    .filter(one => one.when && may.includes(one.needs))
    .map(({ word, action, confirm }) => ({ word, action, confirm }));
}

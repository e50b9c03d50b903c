import { signal } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { initialState } from '../src/meeting/state';
import { Screen } from '../src/session/screen';
import { meeting, site } from './samples';

const state = (presenting: number[]) => ({
  ...initialState,
  you: 1,
  meeting: meeting([1, 2, 3].map(id => site(id, { content: presenting.includes(id) }))),
});
const content = (id: number) => ({ site: id, kind: 'content' });

describe('while somebody presents', () => {
  test('the layout button gives a grid and the large tile back', () => {
    const told = signal(state([2]));
    const screen = new Screen(told, 6);
    expect(screen.view.value.stage).toEqual(content(2));
    screen.changeLayout();
    expect(screen.view.value.stage).toBeNull();
    expect(screen.view.value.others).toContainEqual(content(2));
    screen.changeLayout();
    expect(screen.view.value.stage).toEqual(content(2));
  });

  test('what begins is large, whatever this device was looking at, and only when it begins', () => {
    const told = signal(state([]));
    const screen = new Screen(told, 6);
    screen.pin({ site: 3, kind: 'camera' });
    told.value = state([2]);
    expect(screen.view.value.stage).toEqual(content(2));
    screen.pin({ site: 3, kind: 'camera' });
    told.value = state([2]);
    expect(screen.view.value.stage).toEqual({ site: 3, kind: 'camera' });
    screen.pin(null);
    screen.changeLayout();
    told.value = state([2, 3]);
    expect(screen.view.value.stage).toEqual(content(2));
  });
});

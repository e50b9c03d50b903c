import { type ComponentChildren, render } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { Failed } from './Failed';
import './base.css';
import './button.css';
import './field.css';

/** Everything that throws while something is drawn ends as one sentence: never a white or a half page. */
function Guard({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary(report);
  return error === undefined ? children : <Failed />;
}

/** Draws what `begin` makes, in the place of the sentence that index.html has there. */
export function start(begin: () => ComponentChildren): void {
  const root = document.getElementById('app');
  if (root === null) return;
  let page: ComponentChildren;
  try {
    page = begin();
  } catch (error) {
    report(error);
    page = <Failed />;
  }
  root.replaceChildren();
  render(<Guard>{page}</Guard>, root);
}

/** For diagnosis. */
const report = (error: unknown) => console.error(error);

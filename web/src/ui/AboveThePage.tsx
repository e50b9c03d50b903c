import { Component, type ComponentChildren, render } from 'preact';

/** Hands on what the contexts hold at another place of the page. */
class Surroundings extends Component<{ context: object; children: ComponentChildren }> {
  override getChildContext(): object {
    return this.props.context;
  }

  render() {
    return this.props.children;
  }
}

/**
 * Renders at the end of the page whatever asks for it where: what is shown above everything must not
 * inherit the sizes of a tile or of a row of a list. (`createPortal` is in preact/compat, which also
 * changes how every other element is made.)
 */
export class AboveThePage extends Component<{ children: ComponentChildren }> {
  private readonly place = document.createElement('div');

  override componentDidMount(): void {
    document.body.append(this.place);
    this.draw();
  }

  override componentDidUpdate(): void {
    this.draw();
  }

  override componentWillUnmount(): void {
    render(null, this.place);
    this.place.remove();
  }

  render() {
    return null;
  }

  private draw(): void {
    render(<Surroundings context={this.context}>{this.props.children}</Surroundings>, this.place);
  }
}

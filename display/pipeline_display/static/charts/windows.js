/* Demos 5 and 6: the windows of a stream of numbers. */
export class Chart {
  constructor() { this.spanS = 120; }
  take() {} clear() {} newestMs() { return null; } madeMs() { return null; }
  tableRows() { return []; } tableColumns() { return []; } draw() {} readout() { return ""; }
}

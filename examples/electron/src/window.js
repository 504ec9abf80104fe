// The page: draws the newest values of the column `load`.
const canvas = document.getElementById('plot');
const count = document.getElementById('count');
const values = [];

function draw() {
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.beginPath();
  values.forEach((value, x) => context.lineTo(x, canvas.height * (1 - value)));
  context.stroke();
}

window.addEventListener('message', ({ data, ports: [port] }) => {
  if (data !== 'log' || port === undefined) return;
  port.onmessage = ({ data: { firstIndex, columns } }) => {
    values.push(...columns.load);
    values.splice(0, Math.max(0, values.length - canvas.width));
    count.textContent = `${firstIndex + columns.load.length} entries`;
    requestAnimationFrame(draw);
  };
});

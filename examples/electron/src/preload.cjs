// Hands the port to the page, which has no access to Node.
const { ipcRenderer } = require('electron');

ipcRenderer.on('log', ({ ports }) => window.postMessage('log', '*', ports));

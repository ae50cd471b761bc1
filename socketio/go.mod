module github.com/fasteio/engineio/socketio

go 1.25.0

replace github.com/fasteio/engineio => ../

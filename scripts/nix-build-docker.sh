#!/bin/sh
exec deploy build --build-in docker "$@"

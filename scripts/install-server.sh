#!/bin/sh
exec deploy install "$@"

#!/bin/sh
# Prints the greeting that the build made, for $NAME, and the words that it was called with.
echo "$(cat /hello/shout.txt), $NAME! ($*)"

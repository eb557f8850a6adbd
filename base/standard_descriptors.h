/* Descriptors 0, 1 and 2 of a program that was started without some of them. */
#ifndef HEEL_BASE_STANDARD_DESCRIPTORS_H
#define HEEL_BASE_STANDARD_DESCRIPTORS_H

/* Opens /dev/null in place of each one that is closed: a descriptor of the program's own must not
 * take its number, or what is meant for stdout or stderr would go into that. To be called from a
 * constructor of priority 101, since gRPC opens an eventfd before main() begins. 0, or -1. */
int heel_fill_standard_descriptors(void);

#endif

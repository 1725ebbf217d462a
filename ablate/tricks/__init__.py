"""Every trick, one file each. A file here is found through its yaml in conf/trick/."""
